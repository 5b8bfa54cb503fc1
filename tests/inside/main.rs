//! What only shows from inside: tables, calls to AWS, settings of a test's own. In process only.

mod budgets;
