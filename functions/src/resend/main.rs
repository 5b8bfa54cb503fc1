//! The Lambda function `resend`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::resend::Deps>()
}
