//! The Lambda function `signup-email`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::signup_email::Deps>()
}
