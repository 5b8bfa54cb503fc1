//! The Lambda function `sessions`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::sessions::Deps>()
}
