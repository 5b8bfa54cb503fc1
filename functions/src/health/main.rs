//! The Lambda function `health`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::health::Deps>()
}
