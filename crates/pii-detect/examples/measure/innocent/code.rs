//! What programs and their tools write: remotes, packages, files, patches, logs.

use super::{Innocent, field, ids::uuid, itself, times};
use crate::random::Random;

const WORDS: [&str; 16] = [
    "api", "billing", "cart", "docs", "engine", "forms", "gateway", "hooks", "image", "ledger",
    "mailer", "orders", "pay-core", "queue", "search", "web_app",
];
const HOSTS: [&str; 6] = [
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "git.acme.example",
    "ssh.dev.azure.com",
    "codeberg.org",
];

pub(super) const ALL: &[Innocent] = &[
    field("ARN", "resource", arn),
    field("git remote", "ssh_url", remote),
    field("file name", "file", file_name),
    field("package and version", "package", package),
    field("CSS colour", "color", |random| match random.index(4) {
        0 => format!("#{}", random.hex(8)),
        1 => format!(
            "rgb({}, {}, {})",
            random.within(0, 255),
            random.within(0, 255),
            random.within(0, 255)
        ),
        2 => format!(
            "hsl({}deg 100% {}%)",
            random.within(0, 359),
            random.within(0, 100)
        ),
        _ => format!("#{}", random.hex(6)),
    }),
    itself("diff hunk", |random| {
        let (from, to) = (random.within(1, 99_999), random.within(1, 99_999));
        format!(
            "index {}..{} 100644\n--- a/{file}\n+++ b/{file}\n@@ -{from},{} +{to},{} @@ fn {}() {{\n-    id: {},\n+    id: {},\n",
            random.hex(7),
            random.hex(7),
            random.within(1, 40),
            random.within(1, 40),
            random.pick(&WORDS),
            random.number(6),
            random.number(7),
            file = format_args!("src/{}.rs", random.pick(&WORDS)),
        )
    }),
    itself("log line", log_line),
    field("URL", "url", url),
    itself("prompt and mention", |random| {
        let word = random.pick(&WORDS);
        match random.index(5) {
            0 => format!(
                "root@{word}-{:02}:~# systemctl restart {word}",
                random.within(1, 40)
            ),
            1 => format!("thanks @{word}, merged in #{}", random.within(1, 99_999)),
            2 => format!("@app.route('/{word}/{}')", random.within(1, 99)),
            3 => format!(
                "ERROR in {word}@{}: exit code {}",
                random.hex(8),
                random.within(1, 255)
            ),
            _ => format!(
                "SELECT * FROM {word} WHERE id @> ARRAY[{}]",
                random.number(9)
            ),
        }
    }),
];

fn arn(random: &mut Random) -> String {
    let account = random.digits(12);
    let region = random.pick(&["us-east-1", "eu-central-1", "sa-east-1", "ap-south-1"]);
    let word = random.pick(&WORDS);
    match random.index(5) {
        0 => format!("arn:aws:iam::{account}:role/{word}"),
        1 => format!("arn:aws:sqs:{region}:{account}:{word}"),
        2 => format!(
            "arn:aws:lambda:{region}:{account}:function:{word}:{}",
            random.within(1, 99)
        ),
        3 => format!("arn:aws-cn:sns:{region}:{account}:{word}:{}", uuid(random)),
        _ => format!(
            "{account}.dkr.ecr.{region}.amazonaws.com/{word}@sha256:{}",
            random.hex(64)
        ),
    }
}

fn remote(random: &mut Random) -> String {
    let (host, owner, name) = (
        random.pick(&HOSTS),
        random.pick(&WORDS),
        random.pick(&WORDS),
    );
    let number = random.within(1, 9999);
    match random.index(6) {
        0 => format!("ssh://git@{host}/{owner}/{name}-{number}.git"),
        1 => format!("git+ssh://git@{host}/{owner}/{name}.git#v{number}.0.0"),
        2 => format!("https://{host}/{owner}/{name}-{number}.git"),
        3 => format!("git://{host}/{owner}/{name}-{number}.git"),
        4 => format!("ssh://git@{host}:2222/{owner}/{name}-{number}.git"),
        _ => format!("git@{host}:{owner}/{name}-{number}.git"),
    }
}

fn file_name(random: &mut Random) -> String {
    let (word, number) = (random.pick(&WORDS), random.within(1, 9999));
    let scale = random.pick(&["2x", "3x", "1.5x", "4x"]);
    let kind = random.pick(&["png", "jpg", "webp", "svg", "gif"]);
    match random.index(6) {
        0 => format!("/assets/{number}/{word}@{scale}.{kind}"),
        1 => format!("{word}-{number}@{scale}.min.{kind}"),
        2 => format!(
            "IMG_{}_{}.jpg",
            times::date(random, ""),
            times::time(random, "")
        ),
        3 => format!("backup-{}-{number}.tar.gz", times::date(random, "-")),
        4 => format!("{}.{kind}", uuid(random)),
        _ => format!("{word}-{number}@{scale}.{kind}"),
    }
}

fn package(random: &mut Random) -> String {
    let (word, scope) = (random.pick(&WORDS), random.pick(&WORDS));
    let version = format!(
        "{}.{}.{}",
        random.within(0, 40),
        random.within(0, 99),
        random.within(0, 99)
    );
    match random.index(8) {
        0 => format!("@{scope}/{word}@{version}"),
        1 => format!("npm:{word}@^{version}"),
        2 => format!("{scope}/{word}@v{}", random.within(1, 99)),
        3 => format!("node_modules/.pnpm/{word}@{version}/node_modules/{word}/index.js"),
        4 => format!("{word}@sha256:{}", random.hex(64)),
        5 => format!("com.{scope}:{word}:{version}"),
        6 => format!("{word}@{version}-beta.{}", random.within(1, 20)),
        _ => format!("{word}@{version}"),
    }
}

fn log_line(random: &mut Random) -> String {
    let time = format!(
        "{}T{}.{}Z",
        times::date(random, "-"),
        times::time(random, ":"),
        random.digits(6)
    );
    let (word, id) = (random.pick(&WORDS), uuid(random));
    let (status, millis) = (random.within(200, 599), random.within(0, 99_999));
    match random.index(4) {
        0 => format!(
            "10.{}.{}.7 - - [{}] \"GET /{word}/{id} HTTP/1.1\" {status} {millis} \"-\" \"curl/8.5.0\"",
            random.within(0, 255),
            random.within(0, 255),
            time
        ),
        1 => format!(
            "{time} INFO {word}: request_id={id} status={status} elapsed_ns={} bytes={millis}",
            random.number(9)
        ),
        2 => format!(
            r#"{{"ts":{}.{},"level":"warn","msg":"{word} slow","id":"{id}","n":{}}}"#,
            random.within(1_000_000_000, 2_000_000_000),
            random.digits(7),
            random.number(8)
        ),
        _ => format!(
            "[{:>7}.{}] {word}: page allocation failure: order:{}, addr 0x{} pid {millis}",
            random.within(0, 9_999_999),
            random.digits(6),
            random.within(0, 9),
            random.hex(16)
        ),
    }
}

fn url(random: &mut Random) -> String {
    let (word, id) = (random.pick(&WORDS), random.number(9));
    match random.index(5) {
        0 => format!(
            "https://api.acme.example/v1/{word}/{id}/events?page={}&per_page=100",
            random.within(1, 99)
        ),
        1 => format!(
            "https://cdn.acme.example/{}/{word}.js?v={}",
            random.hex(20),
            random.number(10)
        ),
        2 => format!(
            "https://maps.acme.example/@{}.{},{}.{},17z",
            random.within(0, 89),
            random.digits(7),
            random.within(0, 179),
            random.digits(7)
        ),
        3 => format!(
            "https://acme.example/{word}%20{id}?q=a%2Bb%26c&t={}",
            random.within(1_000_000_000_000, 2_000_000_000_000)
        ),
        _ => format!(
            "https://github.com/{word}/{word}/pull/{}#issuecomment-{id}",
            random.within(1, 99_999)
        ),
    }
}
