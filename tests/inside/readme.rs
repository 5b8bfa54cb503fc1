//! The README's walk from sign-up to signed-in user, pasted into a shell as it stands there.

use std::process::Stdio;

use harness::App;
use serde_json::json;
use tokio::process::Command;

/// The shell blocks below a heading.
fn blocks<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let (_, section) = text.split_once(heading).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap_or_default())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_works_when_pasted() {
    // On the laptop's own settings, as a newcomer has them, but for the address.
    let app = App::with(json!({ "redirect_urls": ["http://127.0.0.1:9000/_inbox/landing"] })).await;
    let walk = blocks(include_str!("../../README.md"), "## Sign a user up");
    assert_eq!(walk.len(), 5);
    let script = walk
        .join("\necho; echo NEXT\n")
        .replace("http://127.0.0.1:9000/_inbox/landing", "<landing>")
        .replace("http://127.0.0.1:9000", &app.url)
        .replace("<landing>", "http://127.0.0.1:9000/_inbox/landing");
    let output = Command::new("bash")
        .args(["-eu", "-c", &script])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("bash and curl");
    let said = String::from_utf8(output.stdout).expect("text");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    let steps: Vec<&str> = said.split("NEXT\n").map(str::trim).collect();
    assert!(steps[0].contains(r#""session":null"#), "{said}");
    assert!(
        steps[1].contains("status=200&action=email-confirm&access_token=at-"),
        "{said}"
    );
    assert!(steps[2].contains(r#""emailVerified":true"#), "{said}");
    assert_eq!(steps[3], "", "{said}");
    assert!(steps[4].contains(r#""email":"ada@example.com""#), "{said}");
}
