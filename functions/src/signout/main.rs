//! The Lambda function `signout`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::signout::Deps>()
}
