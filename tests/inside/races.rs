//! Many at once, and what is left in the tables.

use std::time::Duration;

use futures_util::future::join_all;
use harness::App;
use serde_json::json;
use shared::store::schema::Table;

use crate::tables::{expect_consistent, scan};

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_sign_ups_for_one_address_leave_one_user_one_guard_and_one_link() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let spellings = (0..64).map(|n| {
        let spell = |(at, c): (usize, char)| {
            if at % 7 == n % 7 {
                c.to_ascii_uppercase()
            } else {
                c
            }
        };
        email.chars().enumerate().map(spell).collect::<String>()
    });
    let spellings: Vec<String> = spellings.collect();
    let answers = join_all(spellings.iter().map(|email| app.sign_up(email))).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let lost = answers
        .iter()
        .filter(|answer| answer.code() == "email_not_unique")
        .count();
    assert_eq!((won, lost), (1, 63));
    assert_eq!(app.mails(&email).await.len(), 1);
    assert_eq!(scan(&app, Table::Users).await.len(), 2);
    assert_eq!(scan(&app, Table::Tokens).await.len(), 1);
    expect_consistent(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_sign_ups_for_one_expired_claim_leave_one_user() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    app.advance(Duration::from_hours(24));
    let answers = join_all((0..20).map(|_| app.sign_up(&email))).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1);
    assert_eq!(scan(&app, Table::Users).await.len(), 2);
    assert_eq!(scan(&app, Table::Tokens).await.len(), 1);
    expect_consistent(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_uses_of_one_link_and_one_access_token_leave_one_session() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    let answers = join_all((0..50).map(|_| app.follow(&link))).await;
    let tokens: Vec<String> = answers
        .iter()
        .filter_map(|answer| answer.sent_with("access_token"))
        .collect();
    assert_eq!(tokens.len(), 1);
    let answers = join_all((0..50).map(|_| app.grant(&tokens[0]))).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.code() == "invalid_access_token")
            .count(),
        49
    );
    assert_eq!(scan(&app, Table::Sessions).await.len(), 1);
    assert_eq!(scan(&app, Table::Tokens).await.len(), 0);
    expect_consistent(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_and_a_new_sign_up_at_once_never_both_win() {
    let app = App::with(json!({})).await;
    for _ in 0..10 {
        let email = app.email("ada");
        app.sign_up(&email).await.expect_ok();
        let link = app.link(&email).await;
        // The link works to its last second; the claim falls in the next.
        app.advance(Duration::from_millis(24 * 3_600_000 - 500));
        let (followed, again) = tokio::join!(app.follow(&link), async {
            app.advance(Duration::from_millis(500));
            app.sign_up(&email).await
        });
        let confirmed = followed.sent_with("access_token").is_some();
        assert!(
            !(confirmed && again.status == 200),
            "{followed:?} {again:?}"
        );
        expect_consistent(&app).await;
    }
}
