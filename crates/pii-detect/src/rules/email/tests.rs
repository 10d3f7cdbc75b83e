//! Addresses that are found, each beside what is nobody's.

use crate::{
    finding::Confidence,
    kind::Kind,
    rules::tests::{check, check_left_alone, only},
};

#[test]
fn addresses_are_found_with_their_spans() {
    check(
        Kind::Email,
        &[
            "«alice@example.com»",
            "from=<«alice.b+tag@mail.example.co.uk»>.",
            "«o'brien@example.com»",
            "to '«bob@example.com»'",
            "**«bob@example.com»**",
            "`«bob@example.com»`",
            "{«bob@example.com»}",
            "(«bob@example.com»)",
            "mailto:«bob@example.com»?subject=x",
            "a|«bob@example.com»|c",
            "user=«bob@example.com»&x=1",
            "!«x#y$z@example.com»",
            "«x_~^y@example.com»",
            "«_bob_@example.com»",
            "«a@b.io»",
            "«a@b.c.d.example.museum»",
            "«ALICE@EXAMPLE.COM»",
            "«alice@example.com»...",
            "«alice@example.com»..next",
            "«alice@example.com»-",
            "«müller@bücher.de» schrieb",
            "«a@xn--bcher-kva.xn--p1ai»",
            "«почта@пример.рф»",
            "«用户@例子.中国»",
            "«用户@例子。中国»",
            "«संपर्क@डाटामेल.भारत»",
            "«मित्र@हिन्दी.भारत»",
            "«อีเมล@ทดสอบ.ไทย»",
            "«info@παράδειγμα.ελ»",
            "«bob@example.com»宛",
            "«bob@example.com»。",
            "«550e8400-e29b-41d4-a716-446655440000@example.com»",
            "<«CAB+x@mail.example.com»>",
            "@«user@mastodon.social»",
            "https://«user@example.com»/",
            "smtp://«bob@example.com»:25",
            "«bob@example.com»:hunter2",
            "«bob@example.com»:2222/a",
            r#"{"to":"«a@b.io»","cc":"«c@d.io»"}"#,
            r#"{"handle":"@example.com"}"#,
        ],
    );
}

#[test]
fn quoted_local_parts_and_literal_domains_are_found() {
    check(
        Kind::Email,
        &[
            r#"«"john doe"@example.com»"#,
            r#"to: «"john doe"@example.com»,"#,
            r#"<«"john\"doe"@example.com»>"#,
            r#"{"to":"«\"john doe\"@example.com»"}"#,
            r#"«"a@b"@example.com»"#,
            "«user@[192.0.2.1]»",
            "«user@[IPv6:2001:db8::1]»",
            "«user@[ipv6:2001:db8::1]»,",
            r#"«"john doe"@[192.0.2.1]»"#,
        ],
    );
    check_left_alone(&[
        r#""@example.com"#,
        r#"["", "@example.com"]"#,
        r#"{"a":"","b":"@example.com"}"#,
        r#""x" "@example.com""#,
        "user@[192.0.2.999]",
        "user@[example]",
        "user@192.0.2.1",
    ]);
    assert_eq!(only("", "user@192.0.2.1"), Some(("email", Confidence::Low)));
}

#[test]
fn repositories_and_folders_on_other_machines_are_nobodys() {
    check_left_alone(&[
        "git@github.com:example-org/example-repo.git",
        "org-123@github.com:example-org/example-repo.git",
        "alice@github.com:example-org/example-repo",
        "alice@git.example.org:team/repo",
        "alice@example.org:repo.git",
        "hg@bitbucket.org/team/repo",
        "svn@svn.example.org",
        "git@host.example:a",
        "ssh://git@git.example.org:2222/a/b",
        "ssh://alice@git.example.org/a/b",
        "git+ssh://alice@example.org/a.git",
        "deploy@web.example.org:/var/www",
        "deploy@web.example.org:~/www",
        "aws@s3.example.com:bucket/key",
        "ada@web.example.com:backup/2024/dump.sql",
        "root@example.com:backup/dump.sql",
    ]);
    check(
        Kind::Email,
        &[
            "«gita@github.com»: see example-org/example-repo",
            "«legit@github.com»",
            "«alice@example.org»:repo",
            "«alice@example.org»:pass/word",
            "«alice@example.co.uk»:pass/word",
            "mail: «ada@example.com»:foo",
            "«ada@mail.example.com»:foo",
            "«ada@mail.example.com»:993/imap",
            "«root@example.com»: a/b",
            "https://«alice@example.org»/a/b",
        ],
    );
}

#[test]
fn packages_images_and_objects_are_nobodys() {
    check_left_alone(&[
        "@scope/pkg@1.2.3",
        "@scope/pkg@1.2.3-beta.next",
        "lodash@4.17.21",
        "lodash@v4.17.beta",
        "lodash@4.17.21.tgz",
        "actions/checkout@v4.1.beta",
        "logo@2x.png",
        "icons/logo@2x.min.svg",
        "logo@3x.webp",
        "@tokio::main",
        "user@host",
        "user@localhost",
        "user@example.c",
        "user@example.123",
        "image@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "java.lang.Object@1f2e.x",
        "com.example.Thread@1b6d3586.run",
        "Foo@bar.toString",
        "getty@tty1.service",
        "@media.foo",
        "${user}@example.com",
        "foo@.com",
        "foo@-a.com",
        "foo@a..com",
        "'@example.com",
        "https://maps.example/@40.7128,-74.0060,15z",
        "ratio 100%40",
    ]);
    check(
        Kind::Email,
        &[
            "«logo@2x.example»",
            "«thread@1b6d3586.run»",
            "«foo@bar.tostring»",
            "«user@1and1.com»",
            "«user@163.com»",
            "«user@4.example.com»",
        ],
    );
}
