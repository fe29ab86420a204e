//! The recommendations about swarm mode: a swarm of one manager, made, bent and left.

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Enclave, PATIENCE, eventually};

use crate::case::cases;
use crate::stage::programs;

cases! {
    alone:
        a_swarm_comes_and_goes,
        settings_of_the_cluster,
        networks_and_services,
        addresses_and_planes,
        an_old_authority,
        two_managers;
}

fn docker(enclave: &Enclave, command: &str) -> Result<String> {
    enclave.docker().run(&command.split(' ').collect::<Vec<_>>())
}

fn a_swarm_comes_and_goes() -> Result<()> {
    const NONE: &str = "
        swarm-mode-off-unless-needed | the engine       | pass           | in no swarm
        swarm-manager-count          | the swarm        | not-applicable | in no swarm
        swarm-autolock               | the swarm        | not-applicable | in no swarm
        swarm-bound-to-interface     | the swarm        | not-applicable | in no swarm
        overlay-networks-encrypted   | overlay networks | not-applicable | in no swarm
        live-restore                 | the daemon       | fail           | false";
    let mut enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.bench(&[])?.expect(NONE).context("before")?;
    docker(&enclave, "swarm init --advertise-addr 127.0.0.1")?;
    enclave.bench(&[])?.expect(
        "
        swarm-mode-off-unless-needed | the engine | fail           | a manager of a swarm (active)
        swarm-manager-count          | the swarm  | pass           | 1 managers: an odd number
        swarm-autolock               | the swarm  | fail           | does not lock
        live-restore                 | the daemon | not-applicable | a node of a swarm",
    )?;
    enclave.write("/etc/policy.toml", "swarm_expected = true\n")?;
    enclave
        .bench(&["--policy", "/etc/policy.toml"])?
        .expect("swarm-mode-off-unless-needed | the engine | pass | as the policy expects")?;
    docker(&enclave, "swarm leave --force")?;
    enclave.bench(&[])?.expect(NONE).context("after")?;
    // A manager that waits for its key knows nothing but that.
    docker(&enclave, "swarm init --advertise-addr 127.0.0.1 --autolock")?;
    enclave.start_engine("", &[])?;
    enclave.bench(&[])?.expect(
        "
        swarm-autolock               | the swarm  | pass    | waits for its unlock key
        swarm-mode-off-unless-needed | the engine | fail    | (locked)
        swarm-manager-count          | the swarm  | unknown | is locked",
    )
}

fn settings_of_the_cluster() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    docker(&enclave, "swarm init --advertise-addr 127.0.0.1")?;
    let report = |lines: &str| enclave.bench(&[])?.expect(lines);
    report(
        "
        swarm-autolock            | the swarm               | fail           | does not lock its managers' keys
        swarm-unlock-key-rotation | the unlock key          | not-applicable | does not lock
        swarm-node-cert-expiry    | the swarm               | pass           | live 2160 hours
        swarm-node-cert-expiry    | this node's certificate | pass           | lives until
        swarm-ca-rotation         | the root certificate    | pass           | 0 days, 365 are allowed",
    )?;
    docker(&enclave, "swarm update --autolock --cert-expiry 9000h")?;
    report(
        "
        swarm-autolock            | the swarm      | pass    | locks its managers' keys
        swarm-unlock-key-rotation | the unlock key | unknown | attestation
        swarm-node-cert-expiry    | the swarm      | fail    | live 9000 hours, 2160 are allowed",
    )?;
    let remedy = enclave
        .bench(&[])?
        .item("swarm-node-cert-expiry", "the swarm")?
        .to_string();
    ensure!(
        remedy.contains("docker swarm update --cert-expiry 2160h"),
        "{remedy}"
    );
    docker(&enclave, "swarm update --cert-expiry 2160h")?;
    report("swarm-node-cert-expiry | the swarm | pass | live 2160 hours")?;
    // What the policy allows and what is stated.
    let stated = |date: &str, expires: &str| {
        format!(
            "max_node_cert_hours = 24\nmax_unlock_key_age_days = 90\n[attestations.swarm-unlock-key-rotation]\n\
             statement = \"rotated\"\nby = \"ops\"\ndate = {date}\nexpires = {expires}\n"
        )
    };
    let today = enclave.sh("date -u +%Y-%m-%d")?;
    let old = enclave.sh("date -u -d '200 days ago' +%Y-%m-%d")?;
    let later = enclave.sh("date -u -d '60 days' +%Y-%m-%d")?;
    for (date, verdict, words) in [
        (&today, "pass", "ops stated"),
        (&old, "fail", "200 days, 90 are allowed"),
    ] {
        enclave.write("/etc/policy.toml", &stated(date, &later))?;
        enclave
            .bench(&["--policy", "/etc/policy.toml"])?
            .expect(&format!(
                "
            swarm-unlock-key-rotation | the unlock key          | {verdict} | {words}
            swarm-node-cert-expiry    | the swarm               | fail      | 24 are allowed
            swarm-node-cert-expiry    | this node's certificate | fail      | more hours, 24 are allowed"
            ))?;
    }
    docker(&enclave, "swarm update --autolock=false")?;
    report("swarm-autolock | the swarm | fail | does not lock")
}

fn networks_and_services() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.import(&programs(), "e2e-root:1")?;
    docker(&enclave, "swarm init --advertise-addr 127.0.0.1")?;
    let report = |lines: &str| enclave.bench(&[])?.expect(lines);
    report(
        "
        overlay-networks-encrypted | ingress   | not-applicable | routing mesh's own
        swarm-secrets-used         | the swarm | pass           | there are no services",
    )?;
    docker(&enclave, "network create -d overlay plain")?;
    docker(&enclave, "network create -d overlay --opt encrypted sealed")?;
    docker(
        &enclave,
        "network create -d overlay --opt encrypted=false --label encrypted=true named-encrypted",
    )?;
    report(
        "
        overlay-networks-encrypted | plain           | fail | network plain is not encrypted
        overlay-networks-encrypted | sealed          | pass | network sealed is encrypted
        overlay-networks-encrypted | named-encrypted | fail | is not encrypted",
    )?;
    docker(&enclave, "network rm plain named-encrypted")?;
    report("overlay-networks-encrypted | sealed | pass | encrypted")?;
    let service = "service create --detach --no-resolve-image --replicas 0 --name";
    docker(
        &enclave,
        &format!("{service} quiet -e LANG=C e2e-root:1 /bin/sleep 1000"),
    )?;
    report("swarm-secrets-used | the swarm | unknown | the swarm keeps none")?;
    docker(
        &enclave,
        &format!("{service} leaky -e DB_PASSWORD=correct-horse-battery e2e-root:1 /bin/sleep 1000"),
    )?;
    report("swarm-secrets-used | leaky | fail | shows what looks like a secret")?;
    let shown = enclave.bench(&[])?.value.to_string();
    ensure!(
        !shown.contains("correct-horse-battery"),
        "the report tells the secret"
    );
    docker(&enclave, "service rm leaky")?;
    enclave.sh("echo correct-horse | docker secret create db -")?;
    docker(
        &enclave,
        &format!("{service} proper --secret db e2e-root:1 /bin/sleep 1000"),
    )?;
    report("swarm-secrets-used | the swarm | pass | keeps 1 secrets, and none of 2 services shows one")
}

fn addresses_and_planes() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.import(&programs(), "e2e-root:1")?;
    for (name, address) in [("orders", "198.51.100.1"), ("data", "203.0.113.1")] {
        enclave.sh(&format!(
            "ip link add {name} type bridge && ip addr add {address}/24 dev {name} && ip link set {name} up"
        ))?;
    }
    docker(&enclave, "swarm init --advertise-addr 198.51.100.1")?;
    enclave.bench(&[])?.expect(
        "
        swarm-bound-to-interface | :: port 2377/tcp6 | fail | listens on every address of the host at port 2377
        swarm-bound-to-interface | :: port 7946/tcp6 | fail | at port 7946",
    )?;
    enclave
        .bench(&[])?
        .expect("swarm-plane-separation | this node | fail | they share an interface")?;
    docker(&enclave, "swarm leave --force")?;
    let bound = "swarm init --advertise-addr 198.51.100.1 --listen-addr 198.51.100.1:2377 --data-path-addr 203.0.113.1";
    docker(&enclave, bound)?;
    docker(&enclave, "network create -d overlay --attachable plane")?;
    docker(&enclave, "run -d --network plane e2e-root:1 /bin/sleep 1000")?;
    enclave.bench(&[])?.expect(
        "
        swarm-plane-separation   | this node                  | pass | (orders), data goes by data
        swarm-bound-to-interface | 198.51.100.1 port 2377/tcp | pass | listens on 198.51.100.1 alone at port 2377
        swarm-bound-to-interface | 198.51.100.1 port 7946/tcp | pass | listens on 198.51.100.1 alone at port 7946",
    )?;
    Ok(())
}

/// A root certificate that was issued long ago, as one that was brought along may be.
const OLD_AUTHORITY: &str = "
mkdir /run/ca; cd /run/ca; : >index; echo 01 >serial
printf '%s\n' '[ca]' default_ca=d '[d]' database=index serial=serial new_certs_dir=. default_md=sha256 \
    policy=p x509_extensions=v '[p]' commonName=supplied '[v]' basicConstraints=critical,CA:true \
    keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash >config
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out key.pem
openssl req -new -key key.pem -subj /CN=swarm-ca -out request.pem
openssl ca -batch -config config -selfsign -keyfile key.pem -in request.pem -out cert.pem -notext \
    -startdate 20240101000000Z -enddate 20440101000000Z
";

fn an_old_authority() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    docker(&enclave, "swarm init --advertise-addr 127.0.0.1")?;
    enclave.sh(OLD_AUTHORITY)?;
    let becomes = |line: &str| {
        // Nodes get their new certificates one after the other.
        eventually(line, PATIENCE, || {
            enclave.bench(&[]).and_then(|report| report.expect(line)).ok()
        })
    };
    becomes("swarm-ca-rotation | the root certificate | pass | 0 days")?;
    enclave.sh("docker swarm ca --rotate --detach --ca-cert /run/ca/cert.pem --ca-key /run/ca/key.pem")?;
    becomes("swarm-ca-rotation | the root certificate | fail | is of 2024-01-01")?;
    docker(&enclave, "swarm ca --rotate --detach")?;
    becomes("swarm-ca-rotation | the root certificate | pass | 0 days, 365 are allowed")
}

fn two_managers() -> Result<()> {
    const OTHER: &str = "docker -H unix:///run/other.sock";
    let enclave = Enclave::with_engine(&programs(), "", &["--iptables=false", "--bridge=none"])?;
    docker(
        &enclave,
        "swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377",
    )?;
    let token = docker(&enclave, "swarm join-token -q manager")?;
    enclave.sh(
        "echo {} >/etc/other.json; setsid dockerd --data-root /var/lib/other --exec-root /run/other --pidfile /run/other.pid --bridge=none \
         --iptables=false --config-file /etc/other.json --host unix:///run/other.sock >/run/other.log 2>&1 &",
    )?;
    eventually("the other engine answers", PATIENCE, || {
        enclave.sh(&format!("{OTHER} version")).ok()
    })?;
    let judged = |line: &str| enclave.bench(&[])?.expect(line);
    judged("swarm-manager-count | the swarm | pass | 1 managers: an odd number")?;
    enclave.sh(&format!(
        "{OTHER} swarm join --token {token} --advertise-addr 127.0.0.2 --listen-addr 127.0.0.2:2377 127.0.0.1:2377"
    ))?;
    judged("swarm-manager-count | the swarm | fail | 2 managers: an even number")?;
    let node = enclave.sh(&format!("{OTHER} info --format '{{{{.Swarm.NodeID}}}}'"))?;
    docker(&enclave, &format!("node demote {node}"))?;
    eventually("the other is no manager", PATIENCE, || {
        judged("swarm-manager-count | the swarm | pass | 1 managers: an odd number").ok()
    })
}
