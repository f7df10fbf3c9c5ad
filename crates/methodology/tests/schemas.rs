//! The JSON Schemas that editors use say what the parser says: of the library, and of the library spoiled key by key.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use methodology::{Pack, PackCause, layouts, library, public_layouts};
use serde_json::Value;

type Files = BTreeMap<String, Vec<u8>>;

/// The library, and a pack that has every shape of definition.
fn packs() -> Vec<Pack> {
    let names = ["pack.toml", "tables/demandes.toml", "tables/demandes.schema.json", "golden/demandes.toml"];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes");
    let mut files: Files = names
        .iter()
        .map(|name| ((*name).to_owned(), std::fs::read(root.join(name)).expect("part of the pack")))
        .collect();
    let front = String::from_utf8(files["pack.toml"].clone()).expect("UTF-8").replace(", \"conditions\"", "");
    files.insert("pack.toml".to_owned(), front.into_bytes());
    library().into_iter().chain([Pack::parse(&files).expect("a pack")]).collect()
}

fn validator(name: &str) -> Validator {
    let text = match name {
        "pack" => include_str!("../schema/pack.json"),
        "table" => include_str!("../schema/table.json"),
        "indicators" => include_str!("../schema/indicators.json"),
        "golden" => include_str!("../schema/golden.json"),
        _ => include_str!("../schema/layout.json"),
    };
    let schema: Value = serde_json::from_str(text).expect("a schema is JSON");
    jsonschema::meta::validate(&schema).expect("a schema is a schema");
    jsonschema::validator_for(&schema).expect("a schema is a schema")
}

fn kind(path: &str) -> Option<&'static str> {
    match path {
        "pack.toml" => Some("pack"),
        _ if path.ends_with(".schema.json") => Some("table"),
        _ if path.starts_with("tables/") => Some("indicators"),
        _ if path.starts_with("golden/") => Some("golden"),
        _ => None,
    }
}

fn is_json(path: &str) -> bool {
    path.contains(".schema.")
}

fn value(path: &str, bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).expect("the library is UTF-8");
    if is_json(path) {
        serde_json::from_str(text).expect("the library is JSON")
    } else {
        toml::from_str(text).expect("the library is TOML")
    }
}

fn written(path: &str, value: &Value) -> Option<Vec<u8>> {
    if is_json(path) {
        serde_json::to_vec(value).ok()
    } else {
        // TOML has no null and no mixed depths to refuse here: what it cannot say is no case.
        toml::to_string(value).ok().map(String::into_bytes)
    }
}

fn said(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_file_of_the_library_is_valid() {
    for pack in packs() {
        for (path, bytes) in pack.files() {
            let Some(kind) = kind(path) else { continue };
            assert_eq!(said(&validator(kind), &value(path, bytes)), Vec::<String>::new(), "{} {path}", pack.code());
        }
    }
    let layout = validator("layout");
    for (name, bytes) in public_layouts() {
        assert_eq!(said(&layout, &value(&name, &bytes)), Vec::<String>::new(), "{name}");
    }
    let year = "format = 1\nextends = \"sru\"\n[[vintage]]\nname = \"2027\"\nyears = { bilan = 2027 }\n";
    assert_eq!(said(&layout, &value("sru-2027.toml", year.as_bytes())), Vec::<String>::new());
}

/// One spoiled copy of a document: where, how, and the copy.
struct Spoiled {
    how: String,
    value: Value,
}

/// Each key of each kind of object taken away, an unknown one added, each value made a list of lists; once per place,
/// whatever its number in a list.
fn spoiled(whole: &Value) -> Vec<Spoiled> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    walk(whole, &mut Vec::new(), &mut |path, here| {
        let place = path.iter().map(|step| step.trim_start_matches(char::is_numeric)).collect::<Vec<_>>().join("/");
        let mut keep = |how: String, value: Value| {
            if seen.insert(format!("{place} {how}")) {
                found.push(Spoiled { how: format!("{} {how}", path.join("/")), value });
            }
        };
        if let Value::Object(keys) = here {
            keep(
                "and an unknown key".to_owned(),
                changed(whole, path, &|at| drop(at.as_object_mut().map(|o| o.insert("inconnu".to_owned(), 1.into())))),
            );
            for key in keys.keys() {
                keep(
                    format!("without {key}"),
                    changed(whole, path, &|at| drop(at.as_object_mut().map(|o| o.remove(key)))),
                );
            }
        }
        if !path.is_empty() {
            keep("as a list of lists".to_owned(), changed(whole, path, &|at| *at = serde_json::json!([[[true]]])));
        }
    });
    found
}

fn walk(here: &Value, path: &mut Vec<String>, see: &mut dyn FnMut(&[String], &Value)) {
    see(path, here);
    let children: Vec<(String, &Value)> = match here {
        Value::Object(keys) => keys.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        path.push(step);
        walk(child, path, see);
        path.pop();
    }
}

fn changed(whole: &Value, path: &[String], change: &dyn Fn(&mut Value)) -> Value {
    let mut copy = whole.clone();
    let at = path.iter().fold(&mut copy, |at, step| match at {
        Value::Array(list) => &mut list[step.parse::<usize>().expect("a place in a list")],
        other => &mut other[step.as_str()],
    });
    change(at);
    copy
}

/// A schema may see less than the parser (columns that do not exist), never more; and of mere syntax it sees all.
fn agree(path: &str, validator: &Validator, whole: &Value, parse: &dyn Fn(Vec<u8>) -> Option<PackCause>) -> [usize; 2] {
    let mut counts = [0, 0];
    for Spoiled { how, value } in spoiled(whole) {
        let Some(bytes) = written(path, &value) else { continue };
        let refused = said(validator, &value);
        let cause = parse(bytes);
        assert!(refused.is_empty() || cause.is_some(), "{path} {how}: the schema alone refuses: {refused:?}");
        assert!(!refused.is_empty() || cause != Some(PackCause::Syntax), "{path} {how}: the parser alone refuses");
        counts[usize::from(!refused.is_empty())] += 1;
    }
    counts
}

#[test]
fn parser_and_schemas_refuse_the_same_keys_and_kinds_of_values() {
    let packs = packs();
    let alone = |code: &str| -> Files {
        let of = |path: &str| path.split(['/', '.']).nth(1) == Some(code);
        let mut files: Files = packs[0].files().clone().into_iter().filter(|(path, _)| of(path)).collect();
        let front = "format = 1\ncode = \"p\"\nversion = \"1.0.0\"\ntitle = \"P\"\ndescription = \"\"\n";
        files.insert("pack.toml".to_owned(), format!("{front}tables = [\"{code}\"]\n").into_bytes());
        files
    };
    for path in [
        "pack.toml",
        "tables/domiciliation_actes.schema.json",
        "tables/domiciliation.toml",
        "tables/domiciliation_actes.toml",
        "golden/domiciliation_actes.toml",
        "tables/demandes.toml",
    ] {
        let files = match path {
            "tables/domiciliation.toml" => alone("domiciliation"),
            "tables/demandes.toml" => packs.last().expect("the shapes").files().clone(),
            _ => alone("domiciliation_actes"),
        };
        let whole = value(path, &files[path]);
        let parse = |bytes: Vec<u8>| {
            let mut files = files.clone();
            files.insert(path.to_owned(), bytes);
            // What is asked is what this file says, not what others say of it.
            Pack::check(&files).err().and_then(|faults| Some(faults.iter().find(|fault| fault.file == path)?.cause))
        };
        let [accepted, refused] = agree(path, &validator(kind(path).expect("a kind")), &whole, &parse);
        assert!(refused > 4 && (accepted > 0 || path == "pack.toml"), "{path}: {accepted} {refused}");
    }
    let all = public_layouts();
    for name in ["sru.toml", "observatoire-neet.toml"] {
        let whole = value(name, &all[name]);
        let parse = |bytes: Vec<u8>| layouts(&Files::from([(name.to_owned(), bytes)])).err().map(|fault| fault.cause);
        let [accepted, refused] = agree(name, &validator("layout"), &whole, &parse);
        assert!(refused > 20 && accepted > 0, "{name}: {accepted} {refused}");
    }
}
