//! The Lambda function `user`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::user::Deps>()
}
