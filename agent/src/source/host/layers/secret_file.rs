//! Files that hold secrets, by name and by what is in them.

use super::layer::What;
use crate::model::secret;

/// What a file would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretKind {
    Aws,
    Docker,
    Git,
    Netrc,
    Npm,
    Key,
}

impl SecretKind {
    /// By the path from the root of a layer.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ends = |end: &str| path == end || path.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'));
        match name {
            _ if ends(".aws/credentials") => Some(Self::Aws),
            _ if ends(".docker/config.json") => Some(Self::Docker),
            ".dockercfg" => Some(Self::Docker),
            ".git-credentials" => Some(Self::Git),
            ".netrc" => Some(Self::Netrc),
            ".npmrc" => Some(Self::Npm),
            "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519" => Some(Self::Key),
            _ if [".pem", ".key"].iter().any(|end| name.ends_with(end)) => Some(Self::Key),
            _ => None,
        }
    }
}

/// What a file of this kind is, where it is a secret.
pub(super) fn secret(kind: SecretKind, text: &str) -> Option<What> {
    let told = match kind {
        SecretKind::Aws => has_value(text, "aws_secret_access_key").then_some("credentials"),
        SecretKind::Docker => {
            let held = ["\"auth\"", "\"identitytoken\"", "\"registrytoken\""];
            held.iter()
                .any(|field| text.contains(field))
                .then_some("credentials")
        }
        SecretKind::Git => text.contains("://").then_some("credentials"),
        SecretKind::Netrc => text
            .split_whitespace()
            .any(|word| word == "password")
            .then_some("password"),
        SecretKind::Npm => has_value(text, "_authToken").then_some("token"),
        SecretKind::Key => secret::is_private_key(text).then_some("private key"),
    };
    told.map(|kind| What::Secret {
        kind,
        digest: secret::digest(text.as_bytes()),
    })
}

/// Whether a line `…NAME = VALUE` has a value of its own, not that of a variable.
fn has_value(text: &str, name: &str) -> bool {
    let values = text.lines().filter_map(|line| {
        let (left, value) = line.split_once('=')?;
        left.trim().ends_with(name).then(|| value.trim())
    });
    values
        .into_iter()
        .any(|value| !value.is_empty() && !value.starts_with("${"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: Option<&str>) {
        let found = SecretKind::of(path).and_then(|kind| secret(kind, text));
        let kind = found.map(|what| match what {
            What::Secret { kind, digest } => {
                assert_eq!(digest.len(), 8);
                kind
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(kind, expected, "{path}");
    }

    #[test]
    fn secrets_are_known_by_name_and_content() {
        check(
            "root/.aws/credentials",
            "[default]\naws_secret_access_key = abc\n",
            Some("credentials"),
        );
        check(
            "root/.docker/config.json",
            r#"{"auths":{"r":{"auth":"YTpi"}}}"#,
            Some("credentials"),
        );
        check("root/.git-credentials", "https://a:b@c\n", Some("credentials"));
        check(".netrc", "machine h login l password p", Some("password"));
        check("app/.npmrc", "//registry/:_authToken=abc\n", Some("token"));
        check(
            "root/.ssh/id_rsa",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n",
            Some("private key"),
        );
        check(
            "etc/tls/server.key",
            "-----BEGIN EC PRIVATE KEY-----\n",
            Some("private key"),
        );
    }

    #[test]
    fn what_holds_none_is_none() {
        check("root/.aws/credentials", "[default]\n", None);
        check("root/.docker/config.json", r#"{"credsStore":"x"}"#, None);
        check("app/.npmrc", "//registry/:_authToken=${NPM_TOKEN}\n", None);
        check("etc/ssl/certs/ca.pem", "-----BEGIN CERTIFICATE-----\n", None);
        check("root/.ssh/id_rsa.pub", "-----BEGIN PRIVATE KEY-----\n", None);
        check("x.aws/credentials", "aws_secret_access_key=abc", None);
    }
}
