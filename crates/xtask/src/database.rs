//! A PostgreSQL server that lives as long as the tests.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Problem, command, tools};

/// A server for tests: somebody's, or a throw-away cluster of ours.
pub struct Database {
    url: String,
    psql: Option<PathBuf>,
    guard: Option<Child>,
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// For tests: nothing of it outlives them.
    None,
    /// As in service.
    Real,
}

impl Durability {
    fn options(self) -> &'static str {
        match self {
            Self::None => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            Self::Real => "-c fsync=on -c synchronous_commit=on -c full_page_writes=on",
        }
    }
}

impl Database {
    /// Where the tests look for their server.
    pub const VARIABLE: &str = "MAILLAGE_TEST_POSTGRES_URL";

    /// Uses the server that the environment names, or starts a cluster in a temporary folder.
    pub fn start() -> Result<Self, Problem> {
        Self::start_with(Durability::None)
    }

    /// The same, with a cluster that keeps what it acknowledges, or not.
    pub fn start_with(durability: Durability) -> Result<Self, Problem> {
        if let Ok(url) = std::env::var(Self::VARIABLE)
            && !url.is_empty()
        {
            println!("  {} is set: that server is used, none is started", Self::VARIABLE);
            return Ok(Self { url, psql: command::on_path("psql"), guard: None });
        }
        let programs = programs()?;
        // The port is free when asked for and may be taken a moment later.
        let mut last = None;
        for _ in 0..3 {
            match Cluster::make(&programs)?.start(durability) {
                Ok(database) => return Ok(database),
                Err(problem) => last = Some(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem("PostgreSQL does not start".into())))
    }

    /// The connection string; it holds a password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// PostgreSQL's own client, if it is here.
    pub fn psql(&self) -> Option<&Path> {
        self.psql.as_deref()
    }

    /// Stops the cluster and waits until its folder is gone.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            // The guard reads the end of its input as « it is over ».
            drop(guard.stdin.take());
            match guard.wait() {
                Ok(status) if status.success() => println!("  PostgreSQL is stopped, its folder removed"),
                Ok(status) => eprintln!("  PostgreSQL may still run: its guard ended with {status}"),
                Err(fault) => eprintln!("  PostgreSQL may still run: {fault}"),
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.end();
    }
}

/// The folder of `initdb` and `pg_ctl`.
fn programs() -> Result<PathBuf, Problem> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    tools::apt(&["postgresql"], "the store is tested on PostgreSQL too")?;
    installed().ok_or_else(|| Problem("postgresql is installed, yet initdb is nowhere to be found".into()))
}

fn installed() -> Option<PathBuf> {
    // Debian keeps the programs of each version apart, and puts none of these on the search path.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .max();
    newest.map(|(_, folder)| folder).or_else(|| {
        let initdb = command::on_path("initdb")?;
        let folder = fs::canonicalize(initdb).ok()?.parent()?.to_owned();
        folder.join("pg_ctl").is_file().then_some(folder)
    })
}

struct Cluster<'a> {
    programs: &'a Path,
    folder: PathBuf,
    password: String,
    /// PostgreSQL refuses to run as root; then its own user runs it.
    user: Option<&'static str>,
    guard: Child,
}

impl<'a> Cluster<'a> {
    fn make(programs: &'a Path) -> Result<Self, Problem> {
        let user = if command::as_root()? { Some("postgres") } else { None };
        // Made by the user who will own it. Not in TMPDIR, which another user may be unable to enter, and short
        // because a socket's path must stay under 108 bytes.
        let folder = command::output(as_user(user, "mktemp").args(["-d", "/tmp/maillage-test.XXXXXXXX"]))?;
        let folder = PathBuf::from(folder);
        let guard = guard(user, programs, &folder)?;
        Ok(Self { programs, folder, password: password()?, user, guard })
    }

    fn start(self, durability: Durability) -> Result<Database, Problem> {
        let data = self.folder.join("data");
        let secret = self.folder.join("password");
        write_for_owner_of(&self.folder, &secret, &self.password)
            .map_err(|fault| Problem(format!("cannot write into {}: {fault}", self.folder.display())))?;

        command::output(
            self.program("initdb")
                .args(["--username=maillage", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
                .arg(format!("--pwfile={}", secret.display()))
                .arg("-D")
                .arg(&data),
        )?;
        let port = free_port()?;
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c max_connections=200 {}",
            self.folder.display(),
            durability.options()
        );
        let log = self.folder.join("log");
        let started = command::output(
            self.program("pg_ctl")
                .args(["start", "-w", "-t", "60", "-D"])
                .arg(&data)
                .arg("-l")
                .arg(&log)
                .arg("-o")
                .arg(options),
        );
        if let Err(Problem(what)) = started {
            let log = fs::read_to_string(&log).unwrap_or_default();
            return Err(Problem(format!("PostgreSQL does not start: {what}\n{log}")));
        }
        println!("  PostgreSQL runs on 127.0.0.1:{port} in {}", self.folder.display());
        let url = format!("postgres://maillage:{}@127.0.0.1:{port}/postgres", self.password);
        let psql = Some(self.programs.join("psql")).filter(|psql| psql.is_file()).or_else(|| command::on_path("psql"));
        Ok(Database { url, psql, guard: Some(self.guard) })
    }

    fn program(&self, name: &str) -> Command {
        as_user(self.user, &self.programs.join(name).to_string_lossy())
    }
}

/// A shell that outlives us: whatever ends this process (a failure, Ctrl-C, a kill) closes the pipe it reads, and
/// then it stops the server and removes the folder.
fn guard(user: Option<&str>, programs: &Path, folder: &Path) -> Result<Child, Problem> {
    let script = r#"trap '' INT TERM HUP
        cat > /dev/null
        if [ -f "$1/data/postmaster.pid" ]; then "$0" stop -s -m immediate -D "$1/data" || exit 1; fi
        rm -rf "$1""#;
    let mut shell = as_user(user, "sh");
    shell.args(["-c", script]).arg(programs.join("pg_ctl")).arg(folder);
    // Its own process group: Ctrl-C at the terminal reaches the group in front only.
    shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null());
    shell.spawn().map_err(|fault| command::cannot_start(&shell, &fault))
}

fn as_user(user: Option<&str>, program: &str) -> Command {
    let mut command = match user {
        Some(user) => {
            let mut runuser = Command::new("runuser");
            runuser.args(["-u", user, "--", program]);
            runuser
        }
        None => Command::new(program),
    };
    // Wherever we stand, the other user may not be allowed to.
    command.current_dir("/");
    command
}

fn write_for_owner_of(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    let owner = fs::metadata(folder)?;
    fs::write(file, "")?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    fs::write(file, text)?;
    chown(file, Some(owner.uid()), Some(owner.gid()))
}

fn free_port() -> Result<u16, Problem> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|fault| Problem(format!("no port is free on 127.0.0.1: {fault}")))
}

/// Other users of the machine must not reach a server that runs programs as us.
fn password() -> Result<String, Problem> {
    use std::fmt::Write;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|fault| Problem(format!("no randomness: {fault}")))?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a server's mark, and programs of which `pg_ctl` ends as told.
    fn cluster(name: &str, pg_ctl: &str) -> (PathBuf, PathBuf) {
        let root = std::env::temp_dir().join(format!("maillage-guard-{name}-{}", std::process::id()));
        let (programs, folder) = (root.join("bin"), root.join("cluster"));
        fs::create_dir_all(&programs).expect("a temporary folder");
        fs::create_dir_all(folder.join("data")).expect("a temporary folder");
        fs::write(folder.join("data/postmaster.pid"), "1").expect("a file");
        fs::write(programs.join("pg_ctl"), pg_ctl).expect("a file");
        fs::set_permissions(programs.join("pg_ctl"), fs::Permissions::from_mode(0o755)).expect("our own file");
        (programs, folder)
    }

    #[test]
    fn the_guard_stops_the_server_and_removes_its_folder_when_its_input_ends() {
        let (programs, folder) = cluster("clean", "#!/bin/sh\necho \"$@\" > \"${0%/*}/said\"\n");
        let mut child = guard(None, &programs, &folder).expect("a shell");
        assert!(folder.exists() && child.try_wait().expect("our child").is_none());
        drop(child.stdin.take());
        assert!(child.wait().expect("our child").success());
        assert!(!folder.exists());
        let said = fs::read_to_string(programs.join("said")).expect("pg_ctl was called");
        assert_eq!(said.trim(), format!("stop -s -m immediate -D {}/data", folder.display()));
        fs::remove_dir_all(programs.parent().expect("below our folder")).expect("our own folder");
    }

    #[test]
    fn a_server_that_does_not_stop_keeps_its_folder() {
        let (programs, folder) = cluster("stuck", "#!/bin/sh\nexit 1\n");
        let mut child = guard(None, &programs, &folder).expect("a shell");
        drop(child.stdin.take());
        assert!(!child.wait().expect("our child").success());
        assert!(folder.exists());
        fs::remove_dir_all(programs.parent().expect("below our folder")).expect("our own folder");
    }

    #[test]
    fn passwords_are_long_and_differ() {
        let (first, second) = (password().expect("randomness"), password().expect("randomness"));
        assert!(first.len() == 32 && first != second);
    }
}
