//! The Lambda function `jwks`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::jwks::Deps>()
}
