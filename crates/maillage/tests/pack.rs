//! `maillage pack`, on the library's own pack in a folder of its author.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with the pack `ccas-activite`, and the command run beside it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.lay("p");
        desk
    }

    fn lay(&self, name: &str) {
        let packs = methodology::library();
        let pack = packs.iter().find(|pack| pack.code().as_str() == "ccas-activite").expect("in the library");
        for (path, content) in pack.files() {
            let place = self.path(name).join(path);
            fs::create_dir_all(place.parent().expect("a folder")).expect("made");
            fs::write(place, content).expect("written");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces a text once.
    fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).expect(file);
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(self.path(file), text.replacen(from, to, 1)).expect("written");
    }

    fn said(&self, line: &str) -> (String, i32) {
        said(self.0.path(), line)
    }
}

fn said(folder: &Path, line: &str) -> (String, i32) {
    let done = Command::new(env!("CARGO_BIN_EXE_maillage")).args(line.split(' ')).current_dir(folder).output();
    let done = done.expect("runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (text.replace('\u{202f}', " "), done.status.code().expect("ends by itself"))
}

const INDICATORS: &str = "p/tables/aides_facultatives.toml";

#[test]
fn a_sound_pack_is_checked_tested_and_built_into_one_file_that_reads_back() {
    let desk = Desk::new();
    let (text, code) = desk.said("pack check p");
    assert!(code == 0 && text.contains("aucun défaut"), "{text}");
    let (text, code) = desk.said("pack test p --all");
    assert!(code == 0 && text.contains("aidfac_accords_part") && text.contains("62,5"), "{text}");
    let (text, code) = desk.said("pack build p -o x.pack");
    assert!(code == 0 && text.contains("x.pack"), "{text}");
    let first = fs::read(desk.path("x.pack")).expect("built");
    assert_eq!(desk.said("pack build p -o x.pack").1, 73, "nothing is overwritten unasked");
    assert_eq!(desk.said("pack build p -o x.pack --force").1, 0);
    assert_eq!(fs::read(desk.path("x.pack")).expect("built"), first, "the same files, the same bytes");
    let (text, code) = desk.said("pack diff x.pack p");
    assert!(code == 0 && text.contains("Aucun octet ne diffère"), "{text}");
}

#[test]
fn several_faults_come_at_once_each_with_its_line_in_french() {
    let desk = Desk::new();
    desk.change(INDICATORS, "filter = \"decision = 'accord'\"", "filter = \"decision = 'accord' AND inconnue > 3\"");
    desk.change("p/tables/domiciliation.toml", "polarity = \"neutral\"", "polarity = \"neutre\"");
    let lines = fs::read_to_string(desk.path(INDICATORS)).expect("reads");
    let line = lines.lines().position(|line| line.contains("inconnue")).expect("there") + 1;
    let column = lines.lines().nth(line - 1).and_then(|text| text.find("inconnue")).expect("there") + 1;
    let (text, code) = desk.said("pack check p");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(&format!("aides_facultatives.toml, ligne {line}, colonne {column}")), "{text}");
    assert!(text.contains("« inconnue » n’existe pas"), "{text}");
    assert!(text.contains("domiciliation.toml, ligne") && text.contains("neutre »"), "{text}");
    assert!(text.contains("2 défauts"), "{text}");
    for english in ["expected", "unknown", "error"] {
        assert!(!text.contains(english), "{english} in {text}");
    }
    assert_eq!(desk.said("pack build p -o x.pack").1, 1);
    assert!(!desk.path("x.pack").exists(), "nothing is built from a pack with faults");
}

#[test]
fn a_figure_that_does_not_hold_is_shown_and_stops_the_build() {
    let desk = Desk::new();
    desk.change("p/golden/aides_facultatives.toml", "\"aidfac_demandes\" = 8", "\"aidfac_demandes\" = 9");
    let (text, code) = desk.said("pack test p");
    assert!(code == 1 && text.contains('9') && text.contains('8') && text.contains("dont 1 en défaut"), "{text}");
    let (text, code) = desk.said("pack build p -o x.pack");
    assert!(code == 65 && text.contains("maillage pack test"), "{text}");
    assert!(!desk.path("x.pack").exists());
}

#[test]
fn a_version_number_that_lies_is_refused_with_the_one_that_is_due() {
    let desk = Desk::new();
    desk.lay("old");
    // Everywhere: a share must stay a part of its whole.
    let text = fs::read_to_string(desk.path(INDICATORS)).expect("reads");
    fs::write(desk.path(INDICATORS), text.replace("decision = 'accord'", "decision <> 'accord'")).expect("written");
    let (text, code) = desk.said("pack diff old p");
    assert!(code == 1 && text.contains("n’augmente pas"), "{text}");
    assert!(text.contains("aidfac_accords") && text.contains("aucun chiffre d’avant ne se compare"), "{text}");
    assert_eq!(desk.said("pack build p -o x.pack --after old").1, 1);
}

#[test]
fn a_folder_that_is_none_is_named() {
    let desk = Desk::new();
    let (text, code) = desk.said("pack check rien");
    assert!(code == 66 && text.contains("rien") && !text.contains("os error"), "{text}");
    fs::write(desk.path("faux.pack"), b"not a pack").expect("written");
    let (text, code) = desk.said("pack diff faux.pack p");
    assert!(code == 65 && text.contains("faux.pack"), "{text}");
}
