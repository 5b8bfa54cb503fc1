//! Every error code of the wire, with its status and what it says to a developer.

/// A code with its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// HTTP status; behind a redirect, the `status` parameter.
    pub status: u16,
    /// What programs look at.
    pub name: &'static str,
    /// What people read.
    pub message: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $status:literal $name:literal, $message:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $message)]
            pub const $constant: Code = Code { status: $status, name: $name, message: $message };
        )*
    };
}

codes! {
    INVALID_BODY_SYNTAX = 400 "invalid_request_body_syntax", "The body is not a JSON object.";
    VALIDATION = 400 "validation_error", "Some fields are not valid.";
    BODY_TOO_LARGE = 413 "request_body_size_too_large", "The body is larger than 64 KiB.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type", "The body has to be application/json.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed", "The operation has no such method.";
    RATE_LIMIT_EXCEEDED = 429 "rate_limit_exceeded", "Too many requests. Try again later.";
    INTERNAL = 500 "internal_server_error", "Something went wrong on our side.";
    UNAVAILABLE = 503 "internal_server_error", "The service is busy. Try again in a moment.";

    MISSING_API_KEY = 401 "missing_api_key", "The call needs an API key in the header Authorization or the parameter apikey.";
    INVALID_API_KEY = 401 "invalid_api_key", "The API key is unknown.";
    EXPIRED_API_KEY = 403 "expired_api_key", "The API key has expired.";
    DOMAIN_NOT_AUTHORIZED = 401 "domain_not_authorized", "The API key cannot be used from this origin.";
    IP_NOT_AUTHORIZED = 401 "ip_not_authorized", "The API key cannot be used from this address.";
    MISSING_SESSION_TOKEN = 401 "missing_session_token", "The call needs a session token in the header Session or the cookie session_token.";
    INVALID_SESSION_TOKEN = 401 "invalid_session_token", "The session token is not valid, or the session has ended.";

    NO_SESSION_TOKEN = 404 "invalid_session_token", "This is not a session token.";
    FOREIGN_SESSION_TOKEN = 403 "invalid_session_token", "This is the session of somebody else.";

    NOT_ALLOWED = 401 "not_allowed", "The deployment does not allow this.";
    EMAIL_NOT_UNIQUE = 400 "email_not_unique", "There is an account with this email address already.";
    REDIRECT_URL_MISSING = 400 "redirect_url_missing", "redirectURL is needed, as the address has to be confirmed.";
    INVALID_REDIRECT_URL = 400 "invalid_redirect_url", "The redirect URL is not in the deployment's list.";
    CANNOT_SEND_AUTH_EMAIL = 502 "cannot_send_auth_email", "The email could not be sent.";

    MISSING_ACCESS_TOKEN = 400 "missing_access_token", "The parameter key is missing.";
    INVALID_LINK = 400 "invalid_access_token", "The link is unknown, has been used, or has expired.";
    INVALID_ACCESS_TOKEN = 403 "invalid_access_token", "The access token is unknown, has been used, or has expired.";
    INVALID_TOKEN_TYPE = 401 "invalid_token_type", "The access token is good for something else.";
    EMAIL_ALREADY_VERIFIED = 401 "email_already_verified", "The email address has been verified already.";
    EMAIL_NOT_VERIFIED = 401 "email_not_verified", "The email address has not been verified yet.";
    EMAIL_ALREADY_EXISTS = 401 "email_already_exists", "Somebody else has this email address.";
    EMAIL_AUTH_DISABLED = 401 "email_auth_disabled", "Sign-in by email is off.";
    EMAIL_VERIFICATION_DISABLED = 401 "email_verification_disabled", "Email addresses are not confirmed here.";
    USER_NOT_FOUND = 404 "user_not_found", "There is no such user.";
    INVALID_SIGN_IN_CREDENTIALS = 401 "invalid_sign_in_credentials", "There is no such account, or the password is wrong.";
    INVALID_PROVIDER_SIGN_IN = 401 "invalid_provider_sign_in", "This account signs in with a provider.";
    INVALID_CREDENTIALS = 401 "invalid_credentials", "There is no such account.";
    WRONG_PASSWORD = 401 "invalid_credentials", "The password is wrong.";
    USER_GONE = 401 "user_not_found", "There is no such user.";
    INVALID_PROVIDER = 401 "invalid_provider", "This account signs in with a provider.";
}
