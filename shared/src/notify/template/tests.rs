use super::*;
use crate::domain::{Email, Provider, SecurityStamp, UserData, UserId};

/// A user of whom everything is known.
pub(in crate::notify) fn user(name: &str) -> User {
    User {
        id: UserId::parse("5f2b-1").unwrap(),
        provider: Provider::Agnost,
        provider_user_id: "5f2b-1".to_owned(),
        email: Email::parse("o'ada@example.com").ok(),
        email_verified: Some(false),
        name: Some(name.to_owned()),
        profile_picture: Some("https://example.com/ada.png?a=1&b=2".to_owned()),
        sign_up_at: "2026-01-31T23:59:59Z".parse().unwrap(),
        last_login_at: "2026-02-01T00:00:00.5Z".parse().unwrap(),
        password_hash: None,
        claimable_after: None,
        sessions_not_before: None,
        security_stamp: SecurityStamp::default(),
        data: UserData::default(),
    }
}

const TOKEN: TokenValues<'_> = TokenValues {
    confirmation_url: Some("https://auth.example.com/confirm?token=tk-1&a=b"),
    email: Some("new@example.com"),
    expires_in: Some("24 hours"),
};

fn text(subject: &str, html: &str, text: &str) -> TemplateText {
    TemplateText {
        subject: subject.to_owned(),
        html: html.to_owned(),
        text: text.to_owned(),
    }
}

fn compile(subject: &str, html: &str, plain: &str) -> Result<Template, TemplateError> {
    Template::compile(TemplateName::ConfirmEmail, &text(subject, html, plain))
}

fn problem(subject: &str, html: &str, plain: &str) -> String {
    compile(subject, html, plain).unwrap_err().to_string()
}

fn built_in(name: TemplateName) -> Mail {
    let user = user("Ada");
    let template = Template::built_in(name).unwrap();
    template
        .render(Values {
            user: &user,
            token: TOKEN,
        })
        .unwrap()
}

#[test]
fn a_template_has_one_name_everywhere() {
    for name in TemplateName::ALL {
        assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        assert_eq!(name.to_string(), name.as_str());
    }
}

#[test]
fn every_built_in_template_can_be_sent() {
    for name in TemplateName::ALL {
        let mail = built_in(*name);
        for part in [&mail.subject, &mail.html, &mail.text] {
            assert!(
                !part.contains("{{") && !part.contains("}}"),
                "{name}: {part}"
            );
            assert!(!part.trim().is_empty(), "{name}");
        }
        assert!(!mail.subject.contains(char::is_control), "{name}");
        assert!(mail.html.contains("<html lang=\"en\""), "{name}");
    }
}

#[test]
fn the_mail_to_confirm_an_address_holds_link_and_deadline_in_both_bodies() {
    let mail = built_in(TemplateName::ConfirmEmail);
    assert_eq!(mail.subject, "Confirm your email address");
    assert!(
        mail.text
            .contains("\nhttps://auth.example.com/confirm?token=tk-1&a=b\n")
    );
    let link = "https://auth.example.com/confirm?token=tk-1&amp;a=b";
    assert_eq!(mail.html.matches(&format!("href=\"{link}\"")).count(), 2);
    assert_eq!(mail.html.matches(&format!(">{link}<")).count(), 1);
    assert!(mail.text.contains("24 hours") && mail.html.contains("24 hours"));
}

#[test]
fn the_mail_to_the_old_address_names_the_new_one() {
    let mail = built_in(TemplateName::EmailChanged);
    assert_eq!(mail.subject, "Your email address was changed");
    assert!(mail.text.contains("new@example.com") && mail.html.contains("new@example.com"));
}

#[test]
fn every_placeholder_is_filled_in() {
    let all: Vec<_> = Field::NAMES
        .iter()
        .map(|(_, name)| format!("{{{{ {name} }}}}"))
        .collect();
    let template = compile("Hi", "<p>Hi</p>", &all.join("\n")).unwrap();
    let user = user("Ada");
    let mail = template
        .render(Values {
            user: &user,
            token: TOKEN,
        })
        .unwrap();
    assert_eq!(
        mail.text.lines().collect::<Vec<_>>(),
        [
            "5f2b-1",
            "agnost",
            "o'ada@example.com",
            "Ada",
            "https://example.com/ada.png?a=1&b=2",
            "2026-01-31T23:59:59.000Z",
            "2026-02-01T00:00:00.500Z",
            "https://auth.example.com/confirm?token=tk-1&a=b",
            "new@example.com",
            "24 hours",
        ]
    );
}

#[test]
fn what_a_user_does_not_have_is_empty() {
    let mut user = user("");
    user.name = None;
    user.email = None;
    user.profile_picture = None;
    let all = "[{{user.name}}{{user.email}}{{user.profilePicture}}{{token.email}}]";
    let template = compile(all, all, all).unwrap();
    let token = TokenValues::default();
    let mail = template.render(Values { user: &user, token }).unwrap();
    assert_eq!([mail.subject, mail.html, mail.text], ["[]", "[]", "[]"]);
}

#[test]
fn a_value_is_escaped_for_where_it_stands() {
    let template = compile(
        "  Hi\r\n{{user.name}} \n",
        "<p title=\"{{user.name}}\">{{user.name}}</p><a href=\"https://example.com/?{{user.name}}\">",
        "Hi {{user.name}}\n",
    )
    .unwrap();
    let user = user("\"><script>\r\nBcc: {{user.email}}");
    let mail = template
        .render(Values {
            user: &user,
            token: TOKEN,
        })
        .unwrap();
    assert_eq!(mail.subject, "Hi  \"><script>  Bcc: {{user.email}}");
    assert_eq!(mail.text, "Hi \"><script>  Bcc: {{user.email}}\n");
    let escaped = "&quot;&gt;&lt;script&gt;  Bcc: {{user.email}}";
    let encoded = "%22%3E%3Cscript%3E%0D%0ABcc%3A%20%7B%7Buser.email%7D%7D";
    assert_eq!(
        mail.html,
        format!("<p title=\"{escaped}\">{escaped}</p><a href=\"https://example.com/?{encoded}\">")
    );
}

#[test]
fn a_mistake_is_named_with_template_part_and_placeholder() {
    assert_eq!(
        problem("{{user.nam}}", "a", "a"),
        "template confirm_email, subject: there is no placeholder `{{user.nam}}`"
    );
    assert_eq!(
        problem("a", "a", "Hi {{user.name}"),
        "template confirm_email, text: `{{user.name}` is never closed"
    );
    assert_eq!(
        problem("a", "<p class={{ user.name }}>", "a"),
        "template confirm_email, html: `{{user.name}}` may not stand in an attribute without quotes"
    );
    assert_eq!(
        problem("a", "<p>1 < {{user.name}}</p>", "a"),
        "template confirm_email, html: a `<` that begins no tag (write `&lt;`), at `<`"
    );
    assert_eq!(
        problem("a", "<p>", " \n"),
        "template confirm_email, text: is empty"
    );
    assert_eq!(
        problem("\r\n", "a", "a"),
        "template confirm_email, subject: is empty"
    );
}

#[test]
fn a_message_without_a_link_takes_no_placeholder_for_one() {
    let own = text("a", "a", "{{token.confirmationURL}}");
    let error = Template::compile(TemplateName::EmailChanged, &own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template email_changed, text: `{{token.confirmationURL}}` has no value in this message"
    );
}

/// Pseudo-random numbers (Knuth's MMIX), the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// Some of the pieces, one after the other.
    fn text(&mut self, pieces: &[&str]) -> String {
        let count = self.below(14);
        (0..count)
            .map(|_| pieces[self.below(pieces.len())])
            .collect()
    }
}

const TEMPLATE_PIECES: [&str; 58] = [
    "{{user.name}}",
    "{{user.name}}",
    "{{user.name}}",
    "{{ user.name }}",
    "{{user.profilePicture}}",
    "{{user.profilePicture}}",
    "{{token.confirmationURL}}",
    "{{token.email}}",
    "{{user.x}}",
    "{{",
    "}}",
    "{",
    "<",
    ">",
    "</",
    "/>",
    "/",
    "\"",
    "'",
    "=",
    " ",
    "\n",
    "&",
    "&amp;",
    "&#",
    ";",
    "!",
    "-",
    "--",
    "é",
    "a",
    "p",
    "<p>",
    "</p>",
    "<p",
    "<p ",
    "<a ",
    " title=\"",
    " alt='",
    " href=\"",
    " src='",
    "https://example.com/",
    "?b=",
    "\">",
    "'>",
    " style=\"",
    " onload=\"",
    "<!--",
    "-->",
    "<style>",
    "</style>",
    "<script>",
    "</script>",
    "<title>",
    "</title>",
    "</tit",
    "<!doctype html>",
    "javascript:",
];

const VALUE_PIECES: [&str; 30] = [
    "<",
    ">",
    "\"",
    "'",
    "`",
    "&",
    "&lt;",
    "&#60;",
    "#60;",
    "lt;",
    "=",
    "/",
    "-->",
    "]]>",
    "\r\n",
    "\n",
    "\t",
    "\0",
    "\u{2028}",
    "\u{202E}",
    "<script>",
    "</title>",
    "le ",
    " onload=alert(1) ",
    "\"><img src=x>",
    "javascript:alert(1)",
    "{{user.email}}",
    "é\u{10FFFF}",
    "a",
    "Bcc: b@example.com",
];

fn count(text: &str) -> [usize; 4] {
    ["<", ">", "\"", "'"].map(|sign| text.matches(sign).count())
}

#[test]
fn whatever_template_and_values_are_a_value_brings_no_markup_and_no_line() {
    let mut dice = Dice(42);
    let mut compiled = 0;
    for _ in 0..100_000 {
        let source = dice.text(&TEMPLATE_PIECES);
        let Ok(template) = compile("{{user.name}}", &source, "{{user.name}}") else {
            continue;
        };
        compiled += 1;
        let name = dice.text(&VALUE_PIECES);
        let picture = dice.text(&VALUE_PIECES);
        let link = format!(
            "https://example.com/?{}",
            dice.text(&["a", "&", "\"", "'", "<", ">"])
        );
        let email = dice.text(&VALUE_PIECES);
        let mut user = user(&name);
        user.profile_picture = Some(picture);
        let token = TokenValues {
            confirmation_url: Some(&link),
            email: Some(&email),
            expires_in: None,
        };
        let mail = template.render(Values { user: &user, token }).unwrap();
        // The signs that make markup are those of the template, and no other.
        assert_eq!(count(&mail.html), count(&source), "{source:?} {name:?}");
        let mut scanner = html::Scanner::default();
        let read = scanner.literal(&mail.html).and_then(|()| scanner.end());
        assert_eq!(read, Ok(()), "{source:?} {name:?}");
        assert!(!mail.subject.contains(char::is_control), "{name:?}");
        assert!(
            !mail.text.contains(['\r', '\n', '\0', '\u{2028}']),
            "{name:?}"
        );
    }
    assert!(compiled > 5_000, "{compiled}");
}

#[test]
fn a_subject_and_a_text_of_any_kind_never_panic() {
    let mut dice = Dice(7);
    for _ in 0..20_000 {
        let source = dice.text(&TEMPLATE_PIECES);
        let name = dice.text(&VALUE_PIECES);
        let Ok(template) = compile(&source, "a", &source) else {
            continue;
        };
        let user = user(&name);
        let mail = template
            .render(Values {
                user: &user,
                token: TOKEN,
            })
            .unwrap();
        assert!(
            !mail.subject.contains(char::is_control),
            "{source:?} {name:?}"
        );
    }
}
