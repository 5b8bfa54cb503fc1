//! What an app sees, whatever runs behind the address: one file for each operation, and one for each common rule.

mod api_keys;
mod cors;
mod grant;
mod health;
mod hostile_bodies;
mod jwks;
mod redirects;
mod resend;
mod session_tokens;
mod signin_email;
mod signup_email;
mod user;
mod verify;
