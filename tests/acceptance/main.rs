//! What an app sees, whatever runs behind the address: one file for each operation, and one for each common rule.

mod api_keys;
mod change_pwd;
mod cors;
mod grant;
mod health;
mod hostile_bodies;
mod jwks;
mod link_request;
mod redirects;
mod resend;
mod reset_pwd;
mod send_magic;
mod send_reset;
mod session_tokens;
mod sessions;
mod signin_email;
mod signout;
mod signout_all;
mod signout_all_except;
mod signup_email;
mod user;
mod verify;
