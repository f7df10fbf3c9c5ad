//! `H.json`: what adds up to what, dimension by dimension.
//!
//! ```json
//! {"dims": {"age": {"Total": ["0-17", "18+"], "18+": ["18-64", "65+"]},
//!           "region": {"Total": [["A", "B"], ["x", "y"]]}}}
//! ```
//!
//! A list of lists divides one parent in several ways.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use disclosure::system::{Axis, InvalidAxis};
use disclosure::tables::Dimension;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::bytes;
use crate::fault::{Fault, FaultCause, cut};

/// The members of a JSON object in their order; a name given twice is an error, not a silent replacement.
struct Members<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("un objet { \"nom\": … }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, T)> = Vec::new();
                let mut names = std::collections::HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("« {} » figure deux fois", cut(&name))));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    dims: Members<Members<Groupings>>,
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "attendu : une liste de codes entre guillemets, ou une liste de telles listes")]
enum Groupings {
    One(Vec<String>),
    Several(Vec<Vec<String>>),
}

/// Reads a hierarchy from a file.
///
/// # Errors
/// No such file, no JSON of this form, a node that is part of itself, a grouping that is empty or repeats a node.
pub fn hierarchy(path: &Path) -> Result<Vec<Dimension>, Fault> {
    let name = path.display().to_string();
    hierarchy_of(&name, &bytes(path, &name)?)
}

/// The same from bytes in hand.
///
/// # Errors
/// As [`hierarchy`].
pub fn hierarchy_of(name: &str, bytes: &[u8]) -> Result<Vec<Dimension>, Fault> {
    let fault = |message: String| Fault::of_file(name, FaultCause::Hierarchy, message);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: File = serde_json::from_slice(bytes).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or_default();
        fault(format!(
            "La hiérarchie ne se lit pas (caractère {}) : {error}. Forme attendue : {{\"dims\": {{\"age\": {{\"Total\": \
             [\"0-17\", \"18+\"]}}}}}}.",
            error.column()
        ))
        .at_line(line.max(1))
    })?;
    if file.dims.0.is_empty() {
        return Err(fault("La hiérarchie n’a aucune dimension sous « dims ».".to_owned()));
    }
    file.dims.0.into_iter().map(|(dimension, parents)| axis(&dimension, &parents, &fault)).collect()
}

fn axis(name: &str, parents: &Members<Groupings>, fault: &dyn Fn(String) -> Fault) -> Result<Dimension, Fault> {
    let mut groupings: Vec<(&str, Vec<&str>)> = Vec::new();
    for (parent, children) in &parents.0 {
        match children {
            Groupings::One(list) => groupings.push((parent.trim(), list.iter().map(|child| child.trim()).collect())),
            Groupings::Several(lists) => {
                for list in lists {
                    groupings.push((parent.trim(), list.iter().map(|child| child.trim()).collect()));
                }
            }
        }
    }
    let dimension = cut(name);
    let axis = Axis::new(groupings).map_err(|invalid| match invalid {
        InvalidAxis::Cycle(node) => fault(format!(
            "Dans la dimension « {dimension} », « {} » fait partie de lui-même, directement ou par ses parties : une \
             hiérarchie ne doit pas revenir sur elle-même.",
            cut(&node)
        )),
        InvalidAxis::Grouping(node) => fault(format!(
            "Dans la dimension « {dimension} », une décomposition de « {} » est vide ou cite deux fois le même code.",
            cut(&node)
        )),
    })?;
    if axis.nodes().is_empty() {
        return Err(fault(format!(
            "La dimension « {dimension} » n’a aucun code : écrivez au moins {{\"Total\": [\"…\"]}}."
        )));
    }
    Ok(Dimension { name: name.trim().to_owned(), axis })
}
