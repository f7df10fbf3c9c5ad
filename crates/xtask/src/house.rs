//! The workspace on disk and what cargo says of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::Problem;

/// The workspace.
pub struct House {
    /// Where `Cargo.toml` and `proto/` are.
    pub root: PathBuf,
    /// Where tools are kept between runs, outside the clone.
    pub cache: PathBuf,
    /// The members, by name.
    pub rooms: Vec<Room>,
}

/// One member of the workspace.
pub struct Room {
    /// The crate's name.
    pub name: String,
    /// What its manifest asks for.
    pub needs: Vec<Need>,
}

/// One dependency of a manifest.
pub struct Need {
    /// The crate asked for.
    pub on: String,
    /// Whether that crate is a member too.
    pub house: bool,
    /// Whether only its tests see it.
    pub tests_only: bool,
}

impl House {
    /// Asks cargo, from the current folder.
    pub fn find() -> Result<Self, Problem> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .map_err(|fault| Problem(format!("cargo metadata does not answer: {fault}")))?;
        let members: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
        let mut rooms: Vec<Room> = metadata
            .packages
            .iter()
            .map(|package| Room {
                name: package.name.to_string(),
                needs: package
                    .dependencies
                    .iter()
                    .map(|need| Need {
                        on: need.name.clone(),
                        house: need.path.is_some() && members.contains(&need.name),
                        tests_only: need.kind == DependencyKind::Development,
                    })
                    .collect(),
            })
            .collect();
        rooms.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Self { root: metadata.workspace_root.into_std_path_buf(), cache: cache()?, rooms })
    }

    /// Every Rust source of the crates and of `tests/`, relative to the root, sorted.
    pub fn sources(&self) -> Result<Vec<PathBuf>, Problem> {
        let mut found = Vec::new();
        for folder in ["crates", "tests"] {
            collect(&self.root.join(folder), &mut found)
                .map_err(|fault| Problem(format!("cannot read {folder}: {fault}")))?;
        }
        for path in &mut found {
            if let Ok(inside) = path.strip_prefix(&self.root) {
                *path = inside.to_owned();
            }
        }
        found.sort();
        Ok(found)
    }

    /// The text of a source.
    pub fn read(&self, source: &Path) -> Result<String, Problem> {
        fs::read_to_string(self.root.join(source))
            .map_err(|fault| Problem(format!("cannot read {}: {fault}", source.display())))
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A `target` inside a crate is somebody's build, not a source.
        if entry.file_type()?.is_dir() && entry.file_name() != "target" {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn cache() -> Result<PathBuf, Problem> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("MAILLAGE_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|cache| cache.join("maillage-ci")))
        .or_else(|| from("HOME").map(|home| home.join(".cache/maillage-ci")))
        .filter(|path| path.is_absolute())
        .ok_or_else(|| Problem("neither MAILLAGE_CACHE, XDG_CACHE_HOME nor HOME names an absolute folder".into()))
}
