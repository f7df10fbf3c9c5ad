//! From bytes to text: what a French office produces, in the order that gets every known file right.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::fault::{Fault, FaultCause};
use crate::source::{Encoding, SourceSpec};

/// Text of the file, without byte order mark.
pub(super) fn text<'a>(spec: &SourceSpec, name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    declared(spec.encoding, name, bytes)
}

/// The same without any setting.
pub(crate) fn strictly<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    declared(Encoding::Auto, name, bytes)
}

fn declared<'a>(encoding: Encoding, name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        return Err(Fault::of_file(
            name,
            FaultCause::Empty,
            "Le fichier est vide : vérifiez que l'export s'est bien terminé.",
        ));
    }
    refuse_binary(name, bytes)?;
    let text = match (encoding, bytes.strip_prefix(b"\xef\xbb\xbf")) {
        (Encoding::Auto | Encoding::Utf8, Some(rest)) => strict(name, rest)?,
        (Encoding::Utf8, None) => strict(name, bytes)?,
        (Encoding::Auto, None) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => windows(name, bytes)?,
        },
        (Encoding::Windows1252, _) => windows(name, bytes)?,
    };
    if text.trim().is_empty() {
        return Err(Fault::of_file(
            name,
            FaultCause::Empty,
            "Le fichier est vide : vérifiez que l'export s'est bien terminé.",
        ));
    }
    refuse_mojibake(name, &text)?;
    Ok(text)
}

/// Text of a published file, without byte order mark. Letters that were lost before it came here are left as they are:
/// codes and numbers have none to lose, and names are not kept.
pub(crate) fn lenient<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    refuse_binary(name, bytes)?;
    let text = match (bytes.strip_prefix(b"\xef\xbb\xbf"), std::str::from_utf8(bytes)) {
        (Some(rest), _) => strict(name, rest)?,
        (None, Ok(text)) => Cow::Borrowed(text),
        (None, Err(_)) => windows(name, bytes)?,
    };
    if text.trim().is_empty() {
        return Err(Fault::of_file(
            name,
            FaultCause::Empty,
            "Le fichier est vide : le téléchargement s’est-il bien terminé ?",
        ));
    }
    Ok(text)
}

fn strict<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        Fault::of_file(
            name,
            FaultCause::Encoding,
            "Le fichier s'annonce en UTF-8 mais ne l'est pas jusqu'au bout : réenregistrez-le sous « CSV UTF-8 ».",
        )
        .at_line(line_of(bytes, error.valid_up_to()))
    })
}

/// Windows-1252, never ISO-8859-1: `’`, `œ` and `€` are among the bytes where the two differ.
pub(super) fn windows<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    // Five bytes have no character in Windows-1252; decoders map them to invisible controls.
    if let Some(at) = bytes.iter().position(|b| matches!(b, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)) {
        return Err(Fault::of_file(
            name,
            FaultCause::Encoding,
            "Le fichier n'est ni en UTF-8 ni en Windows-1252 : réenregistrez-le sous « CSV UTF-8 ».",
        )
        .at_line(line_of(bytes, at)));
    }
    Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0)
}

fn refuse_binary(name: &str, bytes: &[u8]) -> Result<(), Fault> {
    let refuse = |what: &str| {
        Err(Fault::of_file(
            name,
            FaultCause::NotText,
            format!(
                "Ce fichier est {what}, non un fichier CSV : ouvrez-le et enregistrez-le sous « CSV UTF-8 (délimité par des points-virgules) »."
            ),
        ))
    };
    match bytes {
        [b'P', b'K', 3 | 5 | 7, ..] => {
            return refuse("un classeur (XLSX, ODS) ou une archive ZIP, même si son nom finit par .csv");
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => return refuse("un ancien classeur Excel (XLS)"),
        [b'%', b'P', b'D', b'F', ..] => return refuse("un PDF"),
        [0x1f, 0x8b, ..] => return refuse("une archive compressée (gzip)"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return refuse("du texte en UTF-16"),
        [b'P', b'A', b'R', b'1', ..] => return refuse("un fichier Parquet"),
        _ => {}
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts = |with: &[u8]| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if starts(b"<html") || starts(b"<!doctype") || starts(b"<?xml") || starts(b"<table") {
        return refuse("une page ou un tableau HTML ou XML");
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(Fault::of_file(
            name,
            FaultCause::NotText,
            "Le fichier contient des octets nuls : il est abîmé ou n'est pas un fichier texte. Refaites l'export en CSV.",
        )
        .at_line(line_of(bytes, at)));
    }
    Ok(())
}

/// UTF-8 read as Windows-1252 and saved again: `Ã©` for `é`. It cannot be undone safely, letters may be lost.
pub(super) fn refuse_mojibake(name: &str, text: &str) -> Result<(), Fault> {
    const SIGNS: [&str; 9] = ["Ã©", "Ã¨", "Ãª", "Ã ", "Ã\u{a0}", "Ã§", "Ã´", "â€™", "\u{fffd}"];
    if text.is_ascii() {
        return Ok(());
    }
    let found = SIGNS.iter().filter_map(|sign| text.find(sign)).min();
    match found {
        None => Ok(()),
        Some(at) => Err(Fault::of_file(
            name,
            FaultCause::Encoding,
            "Les accents sont abîmés (« Ã© » au lieu de « é ») : le fichier a été ouvert dans un mauvais encodage puis \
             réenregistré. Refaites l'export depuis le logiciel d'origine.",
        )
        .at_line(line_of(text.as_bytes(), at))),
    }
}

fn line_of(bytes: &[u8], at: usize) -> u64 {
    bytes[..at.min(bytes.len())].iter().fold(1, |line, b| line + u64::from(*b == b'\n'))
}
