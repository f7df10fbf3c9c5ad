//! `H.json`: what adds up to what, dimension by dimension.
//!
//! ```json
//! {"dims": {"age": {"Total": ["0-17", "18+"], "18+": ["18-64", "65+"]},
//!           "region": {"Total": [["A", "B"], ["x", "y"]]}}}
//! ```
//!
//! A list of lists divides one parent in several ways. Beside `dims`, `"distinct": ["motif"]` names dimensions in which one
//! person may be counted in several parts, and `"within": {"mesure": [["aidés", "ménages"]]}` codes of which the first is
//! never above the second.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use disclosure::system::{Axis, InvalidAxis};
use disclosure::tables::Dimension;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::error::Category;

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
    #[serde(default)]
    distinct: Vec<String>,
    #[serde(default = "none")]
    within: Members<Vec<(String, String)>>,
}

fn none() -> Members<Vec<(String, String)>> {
    Members(Vec::new())
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
    let text = String::from_utf8_lossy(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(fault("Le fichier est vide : il faut au moins {\"dims\": {…}}.".to_owned()));
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or_default();
        fault(format!(
            "La hiérarchie ne se lit pas (caractère {}) : {}. Forme attendue : {{\"dims\": {{\"age\": {{\"Total\": \
             [\"0-17\", \"18+\"]}}}}}}.",
            error.column(),
            cause(&error)
        ))
        .at_line(line.max(1))
    })?;
    if file.dims.0.is_empty() {
        return Err(fault("La hiérarchie n’a aucune dimension sous « dims ».".to_owned()));
    }
    let has = |name: &String| file.dims.0.iter().any(|(dimension, _)| dimension.trim() == name.trim());
    if let Some(name) = file.distinct.iter().chain(file.within.0.iter().map(|(name, _)| name)).find(|name| !has(name)) {
        return Err(fault(format!(
            "« distinct » ou « within » nomme la dimension « {} », qui n’est pas sous « dims ».",
            cut(name)
        )));
    }
    let of = |(name, parents): &(String, Members<Groupings>)| {
        let within = file.within.0.iter().filter(|(dimension, _)| dimension.trim() == name.trim());
        let pairs: Vec<&(String, String)> = within.flat_map(|(_, pairs)| pairs).collect();
        let distinct = file.distinct.iter().any(|dimension| dimension.trim() == name.trim());
        let at = |node: &str, message: String| fault(message).at_line(line_of(&text, name, node));
        Ok(Dimension { distinct, ..axis(name, parents, &pairs, &at)? })
    };
    file.dims.0.iter().map(of).collect()
}

/// Where a node of a dimension is first named: the line, from 1.
fn line_of(text: &str, dimension: &str, node: &str) -> Option<u64> {
    let quoted = |name: &str| serde_json::to_string(name).unwrap_or_default();
    let from = text.find(&quoted(dimension))?;
    let at = from + text[from..].find(&quoted(node)).unwrap_or(0);
    u64::try_from(text[..at].matches('\n').count()).ok().map(|before| before + 1)
}

/// What the parser says, in French: its own words are English, but for those that are ours.
fn cause(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    let known = [
        ("expected `:`", "il manque deux-points « : » après un nom"),
        ("expected `,` or `}`", "il manque une virgule, ou une accolade « } »"),
        ("expected `,` or `]`", "il manque une virgule, ou un crochet « ] »"),
        ("key must be a string", "un nom doit être entre guillemets droits \""),
        ("trailing comma", "une virgule de trop avant une accolade ou un crochet"),
        ("trailing characters", "il y a du texte après la fin"),
        ("control character", "un texte entre guillemets est coupé par une fin de ligne"),
        ("missing field `dims`", "il manque « dims »"),
        ("unknown field", "seuls « dims », « distinct » et « within » sont permis ici"),
        ("duplicate field", "un nom figure deux fois"),
    ];
    if let Some((_, french)) = known.iter().find(|(english, _)| said.starts_with(english)) {
        return (*french).to_owned();
    }
    match error.classify() {
        Category::Eof => "le fichier s’arrête avant la fin : une accolade ou un crochet n’est pas fermé".to_owned(),
        Category::Syntax => "ce signe n’est pas à sa place".to_owned(),
        Category::Io => "le fichier ne se lit pas".to_owned(),
        Category::Data => match said.split_once(", expected ") {
            // What stands there may be English; what is expected there is ours, or a tuple's.
            Some((_, expected)) if expected.starts_with("un objet") => format!("attendu : {expected}"),
            Some(_) => "attendu : une liste de codes entre guillemets".to_owned(),
            None => said.to_owned(),
        },
    }
}

fn axis(
    name: &str,
    parents: &Members<Groupings>,
    pairs: &[&(String, String)],
    fault: &dyn Fn(&str, String) -> Fault,
) -> Result<Dimension, Fault> {
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
    let mut axis = Axis::new(groupings).map_err(|invalid| match invalid {
        InvalidAxis::Cycle(node) => fault(&node, format!(
            "Dans la dimension « {dimension} », « {} » fait partie de lui-même, directement ou par ses parties : une \
             hiérarchie ne doit pas revenir sur elle-même.",
            cut(&node)
        )),
        InvalidAxis::Grouping(node) => fault(&node, format!(
            "Dans la dimension « {dimension} », une décomposition de « {} » est vide ou cite deux fois le même code.",
            cut(&node)
        )),
    })?;
    let mut within = Vec::with_capacity(pairs.len());
    for (part, whole) in pairs {
        let (part, whole) = (part.trim(), whole.trim());
        if part == whole || part.is_empty() || whole.is_empty() {
            return Err(fault(
                part,
                format!(
                    "Dans « within », la dimension « {dimension} » : écrivez deux codes différents, la partie puis le tout."
                ),
            ));
        }
        within.push((axis.node(part), axis.node(whole)));
    }
    if axis.nodes().is_empty() {
        return Err(fault(
            name,
            format!("La dimension « {dimension} » n’a aucun code : écrivez au moins {{\"Total\": [\"…\"]}}."),
        ));
    }
    Ok(Dimension { within, ..Dimension::new(name.trim(), axis) })
}
