//! The images of section 4, and what must be found of each.

/// An image, and what is said of it.
pub(super) struct Row {
    pub(super) tag: &'static str,
    pub(super) dockerfile: &'static str,
    pub(super) key: &'static str,
    pub(super) verdict: &'static str,
    pub(super) words: &'static str,
}

const fn row(
    tag: &'static str,
    dockerfile: &'static str,
    key: &'static str,
    verdict: &'static str,
    words: &'static str,
) -> Row {
    Row {
        tag,
        dockerfile,
        key,
        verdict,
        words,
    }
}

pub(super) const HEALTH: &str = "image-healthcheck";
pub(super) const UPDATE: &str = "image-update-not-alone";
pub(super) const SETUID: &str = "image-no-setuid-files";
pub(super) const ADD: &str = "image-copy-not-add";
pub(super) const SECRETS: &str = "image-no-secrets";
pub(super) const VERIFIED: &str = "image-verified-packages";

/// Each is built on the sound image; `ADDRESS` is that of a server of ours.
pub(super) const ROWS: &[Row] = &[
    row("healthy:1", "USER user", HEALTH, "pass", "has a health check"),
    row("ill:1", "HEALTHCHECK NONE", HEALTH, "fail", "switched off"),
    row(
        "update-alone:1",
        "RUN apt-get update",
        UPDATE,
        "fail",
        "apt-get update",
    ),
    row(
        "update-apk:1",
        "RUN apk -U update && echo no install",
        UPDATE,
        "fail",
        "apk -U update",
    ),
    row(
        "update-not-alone:1",
        "RUN apt-get update && apt-get install -y curl",
        UPDATE,
        "pass",
        "",
    ),
    row(
        "update-certificates:1",
        "RUN update-ca-certificates && echo apt-get update",
        UPDATE,
        "pass",
        "",
    ),
    row(
        "setuid:1",
        "RUN cp /bin/busybox /tool && chmod 4755 /tool",
        SETUID,
        "fail",
        "/tool",
    ),
    row(
        "setgid:1",
        "RUN cp /bin/busybox /group-tool && chmod 2755 /group-tool",
        SETUID,
        "fail",
        "/group-tool",
    ),
    row(
        "setuid-removed:1",
        "RUN cp /bin/busybox /tool && chmod 4755 /tool\nRUN rm /tool",
        SETUID,
        "pass",
        "",
    ),
    row(
        "setuid-taken-back:1",
        "RUN mkdir /d && cp /bin/busybox /d/tool && chmod 4755 /d/tool\nRUN chmod 755 /d/tool",
        SETUID,
        "pass",
        "",
    ),
    row(
        "setuid-directory-replaced:1",
        "RUN mkdir /d && cp /bin/busybox /d/tool && chmod 4755 /d/tool\nRUN rm -r /d && mkdir /d",
        SETUID,
        "pass",
        "",
    ),
    row("added:1", "ADD plain.txt /plain.txt", ADD, "fail", "uses ADD"),
    row(
        "added-archive:1",
        "ADD archive.tar.gz /unpacked/",
        ADD,
        "fail",
        "uses ADD",
    ),
    row(
        "added-url:1",
        "ADD http://ADDRESS/fetched /fetched",
        ADD,
        "fail",
        "uses ADD",
    ),
    row("copied:1", "COPY plain.txt /plain.txt", ADD, "pass", ""),
    row(
        "added-user:1",
        "RUN echo ADD useradd && echo --cap-add",
        ADD,
        "pass",
        "",
    ),
    row(
        "secret-env:1",
        "ENV DB_PASSWORD=hunter2-Zq81kf",
        SECRETS,
        "fail",
        "DB_PASSWORD",
    ),
    row(
        "secret-label:1",
        "LABEL api_token=ghp_a8Kd93jfLs02mXq7Bv5nTr1Yw4Zc6Ue8Ho0P",
        SECRETS,
        "fail",
        "api_token",
    ),
    row(
        "secret-arg:1",
        "ARG NPM_TOKEN=npm_k3Jd82nfPq7Xv5mTr1Yw4Zc6Ue8Ho0Ps2La\nRUN echo built",
        SECRETS,
        "fail",
        "NPM_TOKEN",
    ),
    row(
        "secret-file:1",
        "COPY id_key /home/.ssh/id_rsa",
        SECRETS,
        "fail",
        "home/.ssh/id_rsa",
    ),
    row(
        "secret-file-removed:1",
        "COPY id_key /home/.ssh/id_rsa\nRUN rm /home/.ssh/id_rsa",
        SECRETS,
        "fail",
        "home/.ssh/id_rsa",
    ),
    row(
        "no-secret:1",
        "ENV PASSWORD_FILE=/run/secrets/password TOKEN_TTL=3600",
        SECRETS,
        "pass",
        "",
    ),
    row(
        "piped:1",
        "RUN (curl -sSL https://get.example/install | sh) || true",
        VERIFIED,
        "fail",
        "step",
    ),
    row(
        "unauthenticated:1",
        "RUN apt-get install -y --allow-unauthenticated curl",
        VERIFIED,
        "fail",
        "--allow-unauthenticated",
    ),
    row(
        "trusted-source:1",
        "COPY sources.list /etc/apt/sources.list",
        VERIFIED,
        "fail",
        "/etc/apt/sources.list",
    ),
    row(
        "verified:1",
        "RUN apt-get install -y curl",
        VERIFIED,
        "unknown",
        "no fact can show",
    ),
];
