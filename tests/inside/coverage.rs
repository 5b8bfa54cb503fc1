//! No error without a test: every code that an operation declares stands in a test of that operation.

use std::fs;
use std::path::Path;

use functions::OPERATIONS;
use functions::describe::own_codes;

/// The tests of this crate that have to do with an operation.
fn tests_of(operation: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = format!("acceptance/{}.rs", operation.replace('-', "_"));
    let shared = [
        "inside/links.rs",
        "inside/settings.rs",
        "inside/sign_in.rs",
        "inside/sessions.rs",
    ];
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let own_tests = read(&own);
    assert!(!own_tests.is_empty(), "{operation} has no tests: {own}");
    // Tests of several operations name them.
    let common = read("acceptance/link_request.rs");
    let common = if common.contains(&format!("\"{operation}\"")) {
        common
    } else {
        String::new()
    };
    let inside = shared.iter().map(|file| read(file));
    inside.fold(own_tests + &common, |all, file| all + &file)
}

#[test]
fn every_error_that_an_operation_declares_is_met_by_a_test() {
    for operation in OPERATIONS {
        let tests = tests_of(operation.route.name);
        for code in own_codes(operation) {
            let named = format!("\"{}\"", code.name);
            assert!(
                tests.contains(&named),
                "{} has no test for {named}",
                operation.route.name
            );
        }
    }
}
