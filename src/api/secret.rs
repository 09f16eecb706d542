//! Secrets on their way in: a file that holds one, what a program prints, and an answer that gives one back.
//!
//! Owns the bounds of all three, and who may have written the file. A link is followed: mounted secrets are links, and so
//! is `/dev/fd/3`. But whoever could choose what is read could choose whose images are written: a link and a file must
//! belong to this user or to root, and nobody else may write to the file.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::oneshot,
    time::timeout,
};

use crate::answer::{Body, Reply};

/// No token comes near this.
const LONGEST: u64 = 64 * 1_024;
/// How long a file, or the pipe in its place, may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads a secret's file, or the pipe in its place.
pub(super) async fn read_file(path: &Path) -> io::Result<String> {
    let path = path.to_owned();
    let (sender, receiver) = oneshot::channel();
    // A thread of its own, that nobody waits for at the end: a pipe to which nothing is written never ends.
    std::thread::spawn(move || drop(sender.send(read(&path))));
    match timeout(PATIENCE, receiver).await {
        Ok(Ok(read)) => read,
        _ => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "nothing came out of it for 60 s",
        )),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    check_owner(path, &file)?;
    let mut text = String::new();
    file.by_ref().take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than any token"));
    }
    Ok(text)
}

#[cfg(unix)]
fn check_owner(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let us = rustix::process::geteuid().as_raw();
    let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    let is_foreign = |owner: u32| owner != us && owner != 0;
    let named = path.symlink_metadata()?;
    if named.is_symlink() && is_foreign(named.uid()) {
        return refuse("it is a link that another user has made; name the file itself");
    }
    let found = file.metadata()?;
    // A pipe belongs to whoever opened it, and was handed to us.
    if !found.is_file() {
        return Ok(());
    }
    if is_foreign(found.uid()) {
        return refuse("it belongs to another user; it must be yours or root's");
    }
    if found.mode() & 0o002 != 0 {
        return refuse("everyone may write to it; make it your own with chmod 600");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

/// Reads what a program prints; nothing where that is longer than any token, or no text.
pub(super) async fn read_output(output: impl AsyncRead + Unpin) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    output.take(LONGEST + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > LONGEST {
        return Ok(None);
    }
    Ok(String::from_utf8(bytes).ok())
}

/// Takes `secret` out of what came back: a server, or something on the way, may repeat what it was sent.
pub(super) fn without(secret: &str, reply: Reply) -> Reply {
    const INSTEAD: &str = "[token]";
    match reply {
        Reply::NoConnection(why) => Reply::NoConnection(why.replace(secret, INSTEAD)),
        Reply::Answered {
            status,
            body: Body::Complete(bytes),
            limits,
        } if holds(&bytes, secret) => {
            let text = String::from_utf8_lossy(&bytes).replace(secret, INSTEAD);
            Reply::Answered {
                status,
                body: Body::Complete(text.into_bytes()),
                limits,
            }
        }
        other => other,
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    !secret.is_empty()
        && bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_comes_back_is_taken_out() {
        let reply = Reply::complete(403, r#"{"detail":"no such token: s3cret"}"#);
        let Reply::Answered { body, .. } = without("s3cret", reply) else {
            panic!("an answer")
        };
        assert_eq!(
            body,
            Body::Complete(br#"{"detail":"no such token: [token]"}"#.to_vec())
        );
        let bytes = b"{\"data\":{}}\xff".to_vec();
        let reply = Reply::complete(200, bytes.clone());
        assert_eq!(without("s3cret", reply), Reply::complete(200, bytes));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_everyone_may_write_and_one_without_end_are_refused() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "secret").unwrap();
        assert_eq!(read_file(&path).await.unwrap(), "secret");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        assert_eq!(
            read_file(&path).await.unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
        let endless = read_file(Path::new("/dev/zero")).await.unwrap_err();
        assert!(endless.to_string().contains("longer"), "{endless}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_mounted_secret_is_a_link_to_a_link_and_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("..2026_01_01");
        std::fs::create_dir(&real).unwrap();
        std::fs::write(real.join("token"), "mounted\n").unwrap();
        std::os::unix::fs::symlink("..2026_01_01", folder.path().join("..data")).unwrap();
        let path = folder.path().join("token");
        std::os::unix::fs::symlink("..data/token", &path).unwrap();
        assert_eq!(read_file(&path).await.unwrap(), "mounted\n");
    }
}
