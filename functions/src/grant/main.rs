//! The Lambda function `grant`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::grant::Deps>()
}
