//! The Lambda function `verify`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::verify::Deps>()
}
