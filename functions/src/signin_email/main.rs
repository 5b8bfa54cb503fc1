//! The Lambda function `signin-email`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::signin_email::Deps>()
}
