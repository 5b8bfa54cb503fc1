//! Templates of messages: read once, when a function starts, and then only filled in.
//!
//! Where a placeholder stands decides, at that time, how its value is escaped. Where no escaping
//! is known to be safe, the template is refused.

mod escape;
mod html;
mod placeholder;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{User, iso};

use escape::{Escape, NotALink};
use placeholder::{Field, Piece, PlaceholderError};

/// Makes the enum of templates: name, the tokens that the message comes with, and the built-in
/// text from `templates/en/`.
macro_rules! templates {
    ($($(#[$doc:meta])* $variant:ident = $name:literal with $tokens:expr;)+) => {
        /// The messages that there are.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum TemplateName {
            $($(#[$doc])* $variant,)+
        }

        impl TemplateName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the settings.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            fn tokens(self) -> &'static [Field] {
                match self {
                    $(Self::$variant => &$tokens,)+
                }
            }

            fn built_in(self) -> Parts<'static> {
                match self {
                    $(Self::$variant => Parts {
                        subject: include_str!(concat!("../templates/en/", $name, ".subject.txt")),
                        html: include_str!(concat!("../templates/en/", $name, ".html")),
                        text: include_str!(concat!("../templates/en/", $name, ".txt")),
                    },)+
                }
            }
        }
    };
}

templates! {
    /// Asks a new user to confirm the email address.
    ConfirmEmail = "confirm_email"
        with [Field::ConfirmationUrl, Field::TokenEmail, Field::ExpiresIn];
    /// Tells the old address that the account has a new one, which is `{{token.email}}`.
    EmailChanged = "email_changed" with [Field::TokenEmail];
    /// Signs a user in without a password.
    MagicLink = "magic_link"
        with [Field::ConfirmationUrl, Field::TokenEmail, Field::ExpiresIn];
    /// Lets a user set a new password.
    ResetPassword = "reset_password"
        with [Field::ConfirmationUrl, Field::TokenEmail, Field::ExpiresIn];
    /// Tells a user that the password was changed.
    PasswordChanged = "password_changed" with [];
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of a message, with placeholders such as `{{user.name}}` or `{{token.confirmationURL}}`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// One line.
    pub subject: String,
    /// A whole HTML document.
    pub html: String,
    /// The same as plain text.
    pub text: String,
}

/// What stands for `{{token.…}}`. What is not there is empty, save for a link, which has to be.
#[derive(Clone, Copy, Default)]
pub struct TokenValues<'a> {
    /// `{{token.confirmationURL}}`: the http or https URL that the message asks to open.
    pub confirmation_url: Option<&'a str>,
    /// `{{token.email}}`: the address that the message is about.
    pub email: Option<&'a str>,
    /// `{{token.expiresIn}}`: how long the link works, see [`spoken`](super::spoken).
    pub expires_in: Option<&'a str>,
}

/// A template that cannot be used. Says which one, which part of it, and which placeholder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {template}, {part}: {problem}")]
pub struct TemplateError {
    template: TemplateName,
    part: Part,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Subject,
    Html,
    Text,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("is empty")]
    Empty,
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
    #[error("`{{{{{0}}}}}` has no value in this message")]
    NoValue(Field),
    #[error("`{{{{{0}}}}}` {1}")]
    Refused(Field, html::Refusal),
    #[error(transparent)]
    Html(#[from] html::Malformed),
}

#[derive(Clone, Copy)]
struct Parts<'a> {
    subject: &'a str,
    html: &'a str,
    text: &'a str,
}

/// A template, ready to be filled in.
#[derive(Debug)]
pub(super) struct Template {
    subject: Vec<Segment>,
    html: Vec<Segment>,
    text: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Value(Field, Escape),
}

/// What a template is filled in with.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) user: &'a User,
    pub(super) token: TokenValues<'a>,
}

/// A message, ready to be sent.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) html: String,
    pub(super) text: String,
}

impl Template {
    /// Reads a template of the settings.
    pub(super) fn compile(name: TemplateName, text: &TemplateText) -> Result<Self, TemplateError> {
        let parts = Parts {
            subject: &text.subject,
            html: &text.html,
            text: &text.text,
        };
        Self::read(name, parts)
    }

    /// The template that is used where the settings have none.
    pub(super) fn built_in(name: TemplateName) -> Result<Self, TemplateError> {
        Self::read(name, name.built_in())
    }

    fn read(name: TemplateName, parts: Parts<'_>) -> Result<Self, TemplateError> {
        let segments = |part, source| {
            segments(name, part, source).map_err(|problem| TemplateError {
                template: name,
                part,
                problem,
            })
        };
        Ok(Self {
            subject: segments(Part::Subject, parts.subject.trim())?,
            html: segments(Part::Html, parts.html)?,
            text: segments(Part::Text, parts.text)?,
        })
    }

    /// Fills in the values. Fails only where a link is missing, or is none.
    pub(super) fn render(&self, values: Values<'_>) -> Result<Mail, NotALink> {
        Ok(Mail {
            subject: render(&self.subject, values)?,
            html: render(&self.html, values)?,
            text: render(&self.text, values)?,
        })
    }
}

fn segments(name: TemplateName, part: Part, source: &str) -> Result<Vec<Segment>, Problem> {
    if source.trim().is_empty() {
        return Err(Problem::Empty);
    }
    let mut scanner = html::Scanner::default();
    let mut segments = Vec::new();
    for piece in placeholder::split(source)? {
        segments.push(match piece {
            Piece::Literal(literal) => {
                if part == Part::Html {
                    scanner.literal(literal)?;
                }
                Segment::Literal(match part {
                    Part::Subject => literal.replace(char::is_control, " "),
                    Part::Html | Part::Text => literal.to_owned(),
                })
            }
            Piece::Placeholder(field) => {
                if field.is_token() && !name.tokens().contains(&field) {
                    return Err(Problem::NoValue(field));
                }
                let escape = match part {
                    Part::Subject => Escape::Subject,
                    Part::Text => Escape::Text,
                    Part::Html => scanner
                        .place(field)
                        .map_err(|refusal| Problem::Refused(field, refusal))?,
                };
                Segment::Value(field, escape)
            }
        });
    }
    scanner.end()?;
    Ok(segments)
}

fn render(segments: &[Segment], values: Values<'_>) -> Result<String, NotALink> {
    let mut out = String::new();
    for segment in segments {
        match segment {
            Segment::Literal(literal) => out.push_str(literal),
            Segment::Value(field, escape) => escape.write(&values.get(*field), &mut out)?,
        }
    }
    Ok(out)
}

impl Values<'_> {
    fn get(&self, field: Field) -> String {
        let Self { user, token } = self;
        let text = match field {
            Field::UserId => Some(user.id.as_str()),
            Field::Provider => Some(user.provider.as_str()),
            Field::UserEmail => user.email.as_ref().map(crate::domain::Email::as_str),
            Field::Name => user.name.as_deref(),
            Field::ProfilePicture => user.profile_picture.as_deref(),
            Field::SignUpAt => return iso(user.sign_up_at),
            Field::LastLoginAt => return iso(user.last_login_at),
            Field::ConfirmationUrl => token.confirmation_url,
            Field::TokenEmail => token.email,
            Field::ExpiresIn => token.expires_in,
        };
        text.unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::Html => "html",
            Self::Text => "text",
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
