//! The auth operations: one folder, one binary, one row of the route table each.
//!
//! A row below declares its module too, so that adding an operation is writing its folder and its row;
//! `cargo test -p latchkey-functions` writes the rest (binaries, the router of `cargo lambda watch`,
//! `generated/`).

pub mod describe;
pub mod link_request;
mod registry;

use shared::domain::Action::{ChangeEmail, EmailConfirm, MagicLink, ResetPwd};
use shared::route::Access::{BatchGet, BatchWrite, Check, Delete, Get, Put, Query, Update};
use shared::route::Auth::{Key, KeyAndSession, Public};
use shared::route::Method::{Get as GET, Post as POST};
use shared::route::Needs;
use shared::route::Route;
use shared::route::Secret::{PublicKeys, SigningKey};
use shared::route::TokenKind;
use shared::route::VERIFY_PATH;

pub use registry::{Operation, Started, Starting};

registry::operations! {
    signup_email: Route {
        name: "signup-email",
        summary: "Signs a user up with an email address and a password.",
        methods: &[POST],
        paths: &["/agnost/auth/signup-email"],
        query: &[],
        auth: Key,
        needs: Needs {
            users: &[Put, Delete],
            tokens: &[(TokenKind::Link(EmailConfirm), &[Put, Delete])],
            sessions: &[Put],
            limits: &[Update],
            secrets: &[SigningKey],
            email: true,
        },
        memory_mib: 512,
        timeout_seconds: 10,
    }
    verify: Route {
        name: "verify",
        summary: "Follows the link in an email, and sends the browser back to the app.",
        methods: &[GET],
        paths: &[VERIFY_PATH],
        query: &["key", "action", "redirect"],
        auth: Public,
        needs: Needs {
            users: &[Get, Put, Update, Delete, Check],
            tokens: &[
                (TokenKind::Link(EmailConfirm), &[Delete]),
                (TokenKind::Link(MagicLink), &[Delete]),
                (TokenKind::Link(ResetPwd), &[Delete]),
                (TokenKind::Link(ChangeEmail), &[Get, Delete]),
                (TokenKind::Access, &[Put]),
            ],
            email: true,
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 10,
    }
    grant: Route {
        name: "grant",
        summary: "Exchanges an access token for the user and a session.",
        methods: &[GET],
        paths: &["/agnost/auth/grant"],
        query: &["key"],
        auth: Public,
        needs: Needs {
            users: &[Get, Update],
            tokens: &[(TokenKind::Access, &[Delete])],
            sessions: &[Put],
            secrets: &[SigningKey],
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 10,
    }
    signin_email: Route {
        name: "signin-email",
        summary: "Signs a user in with an email address and a password.",
        methods: &[POST],
        paths: &["/agnost/auth/signin-email"],
        query: &[],
        auth: Key,
        needs: Needs {
            users: &[Get, Update],
            sessions: &[BatchWrite],
            limits: &[Update, BatchWrite],
            secrets: &[SigningKey],
            ..Needs::NOTHING
        },
        memory_mib: 512,
        timeout_seconds: 10,
    }
    resend: Route {
        name: "resend",
        summary: "Sends the confirmation email again; older links die.",
        methods: &[POST],
        paths: &["/agnost/auth/resend"],
        query: &[],
        auth: Key,
        needs: Needs {
            users: &[Get, Update],
            tokens: &[(TokenKind::Link(EmailConfirm), &[Put])],
            limits: &[Update],
            email: true,
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 10,
    }
    send_magic: Route {
        name: "send-magic",
        summary: "Sends a link that signs a user in without a password.",
        methods: &[POST],
        paths: &["/agnost/auth/send-magic"],
        query: &[],
        auth: Key,
        needs: Needs {
            users: &[Get],
            tokens: &[(TokenKind::Link(MagicLink), &[Put])],
            limits: &[Update],
            email: true,
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 10,
    }
    send_reset: Route {
        name: "send-reset",
        summary: "Sends a link that lets a user set a new password.",
        methods: &[POST],
        paths: &["/agnost/auth/send-reset"],
        query: &[],
        auth: Key,
        needs: Needs {
            users: &[Get],
            tokens: &[(TokenKind::Link(ResetPwd), &[Put])],
            limits: &[Update],
            email: true,
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 10,
    }
    reset_pwd: Route {
        name: "reset-pwd",
        summary: "Sets a new password with the access token of a reset link, and ends every session.",
        methods: &[POST],
        paths: &["/agnost/auth/reset-pwd"],
        query: &["key"],
        auth: Key,
        needs: Needs {
            users: &[Update],
            tokens: &[(TokenKind::Access, &[Delete])],
            ..Needs::NOTHING
        },
        memory_mib: 512,
        timeout_seconds: 10,
    }
    change_pwd: Route {
        name: "change-pwd",
        summary: "Sets a new password, knowing the old one, and ends every other session.",
        methods: &[POST],
        paths: &["/agnost/auth/change-pwd"],
        query: &[],
        auth: KeyAndSession,
        needs: Needs {
            users: &[BatchGet, Update],
            sessions: &[BatchGet, Update],
            limits: &[Update],
            secrets: &[PublicKeys],
            email: true,
            ..Needs::NOTHING
        },
        memory_mib: 512,
        timeout_seconds: 10,
    }
    user: Route {
        name: "user",
        summary: "Gives the user of the session.",
        methods: &[GET],
        paths: &["/agnost/auth/user"],
        query: &[],
        auth: KeyAndSession,
        needs: Needs {
            users: &[BatchGet],
            sessions: &[BatchGet],
            secrets: &[PublicKeys],
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 5,
    }
    sessions: Route {
        name: "sessions",
        summary: "Lists the user's sessions, newest first.",
        methods: &[GET],
        paths: &["/agnost/auth/sessions"],
        query: &[],
        auth: KeyAndSession,
        needs: Needs {
            users: &[Get],
            sessions: &[Query],
            secrets: &[SigningKey, PublicKeys],
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 5,
    }
    signout: Route {
        name: "signout",
        summary: "Ends the session, or another one of the same user.",
        methods: &[POST],
        paths: &["/agnost/auth/signout"],
        query: &[],
        auth: KeyAndSession,
        needs: Needs {
            users: &[BatchGet],
            sessions: &[BatchGet, Delete],
            secrets: &[PublicKeys],
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 5,
    }
    signout_all: Route {
        name: "signout-all",
        summary: "Ends every session of the user.",
        methods: &[POST],
        paths: &["/agnost/auth/signout-all"],
        query: &[],
        auth: KeyAndSession,
        needs: Needs {
            users: &[BatchGet, Update],
            sessions: &[BatchGet],
            secrets: &[PublicKeys],
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 5,
    }
    signout_all_except: Route {
        name: "signout-all-except",
        summary: "Ends every session of the user but the calling one.",
        methods: &[POST],
        paths: &["/agnost/auth/signout-all-except"],
        query: &[],
        auth: KeyAndSession,
        needs: Needs {
            users: &[BatchGet, Update],
            sessions: &[BatchGet, Update],
            secrets: &[PublicKeys],
            ..Needs::NOTHING
        },
        memory_mib: 256,
        timeout_seconds: 5,
    }
    jwks: Route {
        name: "jwks",
        summary: "Publishes the keys that session tokens are signed with.",
        methods: &[GET],
        paths: &["/.well-known/jwks.json", "/.well-known/openid-configuration"],
        query: &[],
        auth: Public,
        needs: Needs {
            secrets: &[PublicKeys],
            ..Needs::NOTHING
        },
        memory_mib: 128,
        timeout_seconds: 5,
    }
    health: Route {
        name: "health",
        summary: "Says that the service answers, without touching the database.",
        methods: &[GET],
        paths: &["/health"],
        query: &[],
        auth: Public,
        needs: Needs::NOTHING,
        memory_mib: 128,
        timeout_seconds: 5,
    }
}
