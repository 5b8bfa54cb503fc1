//! The Lambda function `reset-pwd`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::reset_pwd::Deps>()
}
