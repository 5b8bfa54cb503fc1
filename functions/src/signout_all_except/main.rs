//! The Lambda function `signout-all-except`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::signout_all_except::Deps>()
}
