//! What stands between `{{` and `}}`.

use std::fmt;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    UserId,
    Provider,
    UserEmail,
    Name,
    ProfilePicture,
    SignUpAt,
    LastLoginAt,
    ConfirmationUrl,
    TokenEmail,
    ExpiresIn,
}

/// A template, taken apart. Two literals never follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Literal(&'a str),
    Placeholder(Field),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlaceholderError {
    #[error("there is no placeholder `{{{{{0}}}}}`")]
    Unknown(String),
    #[error("`{{{{{0}` is never closed")]
    Unclosed(String),
}

impl Field {
    pub(super) const NAMES: [(Self, &'static str); 10] = [
        (Self::UserId, "user._id"),
        (Self::Provider, "user.provider"),
        (Self::UserEmail, "user.email"),
        (Self::Name, "user.name"),
        (Self::ProfilePicture, "user.profilePicture"),
        (Self::SignUpAt, "user.signUpAt"),
        (Self::LastLoginAt, "user.lastLoginAt"),
        (Self::ConfirmationUrl, "token.confirmationURL"),
        (Self::TokenEmail, "token.email"),
        (Self::ExpiresIn, "token.expiresIn"),
    ];

    fn parse(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(_, known)| *known == name);
        named.map(|(field, _)| *field)
    }

    fn as_str(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(field, _)| *field == self);
        named.map_or("", |(_, name)| name)
    }

    /// Whether the message brings the value, not the user.
    pub(super) fn is_token(self) -> bool {
        self.as_str().starts_with("token.")
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Takes a template apart.
pub(super) fn split(source: &str) -> Result<Vec<Piece<'_>>, PlaceholderError> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some((literal, after)) = rest.split_once("{{") {
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        let (name, after) = after
            .split_once("}}")
            .ok_or_else(|| PlaceholderError::Unclosed(excerpt(after)))?;
        let field =
            Field::parse(name.trim()).ok_or_else(|| PlaceholderError::Unknown(excerpt(name)))?;
        pieces.push(Piece::Placeholder(field));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

/// The beginning of a text, short enough for a message on one line.
pub(super) fn excerpt(text: &str) -> String {
    const LENGTH: usize = 40;
    let mut chars = text.trim().chars();
    let mut excerpt: String = chars.by_ref().take(LENGTH).collect();
    if chars.next().is_some() {
        excerpt.push('…');
    }
    excerpt.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_taken_apart_in_order() {
        assert_eq!(
            split("Hi {{ user.name }}{{token.email}}, } }} {").unwrap(),
            [
                Piece::Literal("Hi "),
                Piece::Placeholder(Field::Name),
                Piece::Placeholder(Field::TokenEmail),
                Piece::Literal(", } }} {"),
            ]
        );
        assert_eq!(split("").unwrap(), []);
    }

    #[test]
    fn every_placeholder_can_be_read() {
        for (field, name) in Field::NAMES {
            let source = format!("{{{{{name}}}}}");
            assert_eq!(split(&source).unwrap(), [Piece::Placeholder(field)]);
            assert_eq!(field.is_token(), name.starts_with("token"));
        }
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        for name in [
            "user.password",
            "user.Name",
            "user",
            "name",
            "",
            "token.code",
            "user . name",
            "{user.name",
            "user.name {{user.name",
        ] {
            let error = split(&format!("a {{{{{name}}}}} b")).unwrap_err();
            let expected = format!("there is no placeholder `{{{{{name}}}}}`");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn braces_that_never_close_are_named() {
        let error = split("Hi {{user.name} and so\non and on and on and on and on").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`{{user.name} and so on and on and on and o…` is never closed"
        );
        assert!(split("{{").is_err());
        assert!(split("{{user.name}} {{").is_err());
    }
}
