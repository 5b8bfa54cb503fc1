//! The Lambda function `send-reset`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::send_reset::Deps>()
}
