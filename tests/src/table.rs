//! The route table as a list of calls, so that a test can make each of them.

use functions::OPERATIONS;
use shared::route::Auth;

/// One way to call an operation.
#[derive(Clone, Debug)]
pub struct Door {
    /// The operation's name.
    pub operation: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path, with a value in place of each parameter.
    pub path: String,
    /// What a caller has to show.
    pub auth: Auth,
}

/// Every method of every path of every operation.
pub fn doors() -> Vec<Door> {
    let mut doors = Vec::new();
    for operation in OPERATIONS {
        let route = operation.route;
        for method in route.methods {
            for path in route.paths {
                doors.push(Door {
                    operation: route.name,
                    method: method.as_str(),
                    path: path.replace("{provider}", "google"),
                    auth: route.auth,
                });
            }
        }
    }
    doors
}
