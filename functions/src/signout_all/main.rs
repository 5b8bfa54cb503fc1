//! The Lambda function `signout-all`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::signout_all::Deps>()
}
