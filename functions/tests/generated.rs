//! What is written from the route table: a stale file is rewritten here, and the test fails once so that
//! nobody misses it. With `CI` set nothing is written.

#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test stops at what it does not expect, and builds short texts"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use functions::OPERATIONS;
use functions::describe;
use serde_json::{Value, json};
use shared::route::Auth;
use shared::settings::Settings;
use shared::store::schema::Table;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table as TomlTable, value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares a file with what it should hold.
fn hold(file: &str, wanted: &str) {
    let path = root().join(file);
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found == wanted {
        return;
    }
    if std::env::var_os("CI").is_none() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
    }
    panic!("{file} did not hold what the route table says; run the tests once more, and commit it");
}

fn pretty(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

#[test]
fn routes_json_holds_the_table() {
    let routes: Vec<_> = OPERATIONS.iter().map(|operation| operation.route).collect();
    hold("functions/generated/routes.json", &pretty(&json!(routes)));
}

#[test]
fn tables_json_holds_the_shape_of_the_tables() {
    let tables = Table::ALL.map(Table::shape);
    hold("functions/generated/tables.json", &pretty(&json!(tables)));
}

#[test]
fn openapi_json_holds_every_operation() {
    hold(
        "functions/generated/openapi.json",
        &pretty(&describe::openapi()),
    );
}

#[test]
fn every_operation_has_its_binary_in_the_manifest() {
    let file = "functions/Cargo.toml";
    let mut manifest: DocumentMut = fs::read_to_string(root().join(file))
        .unwrap()
        .parse()
        .unwrap();
    let mut binaries = ArrayOfTables::new();
    for operation in OPERATIONS {
        let name = operation.route.name;
        let mut binary = TomlTable::new();
        binary["name"] = value(name);
        binary["path"] = value(format!("src/{}/main.rs", name.replace('-', "_")));
        // Ten lines that call the library: nothing to test or to document, but a long link.
        binary["test"] = value(false);
        binary["doc"] = value(false);
        binaries.push(binary);
    }
    manifest["bin"] = Item::ArrayOfTables(binaries);
    hold(file, &manifest.to_string());
}

#[test]
fn cargo_lambda_watch_routes_to_every_operation() {
    let file = "Cargo.toml";
    let mut manifest: DocumentMut = fs::read_to_string(root().join(file))
        .unwrap()
        .parse()
        .unwrap();
    let mut router = ArrayOfTables::new();
    for operation in OPERATIONS {
        for path in operation.route.paths {
            let mut methods = Array::new();
            for method in operation.route.methods {
                methods.push(method.as_str());
            }
            methods.push("OPTIONS");
            let mut route = TomlTable::new();
            route["path"] = value(*path);
            route["methods"] = value(methods);
            route["function"] = value(operation.route.name);
            router.push(route);
        }
    }
    let nested = |name: &str, inner: Item| {
        let mut table = TomlTable::new();
        table.set_implicit(true);
        table[name] = inner;
        Item::Table(table)
    };
    let watch = nested("router", Item::ArrayOfTables(router));
    manifest["workspace"]["metadata"] = nested("lambda", nested("watch", watch));
    hold(file, &manifest.to_string());
}

/// Puts a generated part between its two marks.
fn hold_part(file: &str, name: &str, part: &str) {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = text
        .split_once(&begin)
        .expect("the mark that begins the part");
    let (_, after) = rest.split_once(&end).expect("the mark that ends the part");
    hold(file, &format!("{before}{begin}{part}{end}{after}"));
}

#[test]
fn the_readme_lists_every_operation_and_setting() {
    let mut operations =
        "| operation | call | needs | what it does |\n|---|---|---|---|\n".to_owned();
    for operation in OPERATIONS {
        let route = operation.route;
        let methods: Vec<&str> = route.methods.iter().map(|method| method.as_str()).collect();
        let paths: Vec<String> = route
            .paths
            .iter()
            .map(|path| format!("`{} {path}`", methods.join(", ")))
            .collect();
        let needs = match route.auth {
            Auth::Public => "–",
            Auth::Key => "key",
            Auth::KeyAndSession => "key, session",
        };
        operations += &format!(
            "| {} | {} | {needs} | {} |\n",
            route.name,
            paths.join("<br>"),
            route.summary
        );
    }
    hold_part("README.md", "operations", &operations);

    let schema = schemars::schema_for!(Settings).to_value();
    let least = json!({
        "public_url": "https://auth.example.com", "api_keys": [], "redirect_urls": [],
        "email": { "from_address": "a@example.com" },
    });
    let defaults = json!(Settings::from_json(&least.to_string()).unwrap());
    let mut settings = "| setting | default | what it does |\n|---|---|---|\n".to_owned();
    list_settings(&schema, &schema, &defaults, "", &mut settings);
    hold_part("README.md", "settings", &settings);
}

/// A line for each field, and for the fields of a group.
fn list_settings(root: &Value, group: &Value, defaults: &Value, path: &str, lines: &mut String) {
    let resolve = |field: &Value| {
        let reference = field["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix("#/$defs/"));
        reference.map_or_else(|| field.clone(), |name| root["$defs"][name].clone())
    };
    let required: Vec<&str> = group["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in group["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}{name}");
        let target = resolve(field);
        if target["properties"].is_object() {
            list_settings(root, &target, &defaults[name], &format!("{path}."), lines);
            continue;
        }
        let default = match &defaults[name] {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            Value::Null => "empty".to_owned(),
            Value::String(text) if text.is_empty() => "empty".to_owned(),
            Value::Array(items) if items.is_empty() => "empty".to_owned(),
            Value::Object(fields) if fields.is_empty() => "empty".to_owned(),
            value => format!("`{value}`"),
        };
        let text = field["description"]
            .as_str()
            .unwrap_or_default()
            .replace('\n', " ");
        *lines += &format!("| `{path}` | {default} | {text} |\n");
        // The fields of each item of a list, or of each entry under a name of its own.
        list_settings(
            root,
            &resolve(&field["items"]),
            &Value::Null,
            &format!("{path}[]."),
            lines,
        );
        let entry = resolve(&field["additionalProperties"]);
        list_settings(root, &entry, &Value::Null, &format!("{path}.NAME."), lines);
    }
}

#[test]
fn folder_binary_and_row_agree() {
    let rows: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|operation| operation.route.name.replace('-', "_"))
        .collect();
    assert_eq!(rows.len(), OPERATIONS.len(), "two rows have one name");
    let source = root().join("functions/src");
    let folders: BTreeSet<String> = fs::read_dir(&source)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        rows, folders,
        "a folder without a row, or a row without a folder"
    );
    for folder in &folders {
        let main = fs::read_to_string(source.join(folder).join("main.rs")).unwrap();
        let runs = format!("functions::{folder}::Deps");
        assert!(
            main.contains(&runs),
            "{folder}/main.rs runs another operation"
        );
    }
}

#[test]
fn no_two_rows_answer_the_same_request() {
    let mut seen = BTreeSet::new();
    for operation in OPERATIONS {
        let route = operation.route;
        for (path, method) in route
            .paths
            .iter()
            .flat_map(|path| route.methods.iter().map(move |m| (path, m)))
        {
            assert!(
                seen.insert((path, method.as_str())),
                "{} {path} stands twice",
                method.as_str()
            );
        }
    }
}

#[test]
fn every_field_of_a_query_is_a_field_of_the_input() {
    let document = describe::openapi();
    for operation in OPERATIONS {
        for path in operation.route.paths {
            for method in operation.route.methods {
                let method = method.as_str().to_ascii_lowercase();
                let described = &document["paths"][path][method];
                let parameters = described["parameters"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                assert_eq!(parameters.len(), operation.route.query.len());
                for parameter in parameters {
                    assert!(
                        parameter["schema"].is_object(),
                        "{} has no field {}",
                        operation.route.name,
                        parameter["name"]
                    );
                }
            }
        }
    }
}
