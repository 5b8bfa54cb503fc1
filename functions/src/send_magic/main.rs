//! The Lambda function `send-magic`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::send_magic::Deps>()
}
