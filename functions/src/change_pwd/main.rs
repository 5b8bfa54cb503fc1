//! The Lambda function `change-pwd`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::http::run::<functions::change_pwd::Deps>()
}
