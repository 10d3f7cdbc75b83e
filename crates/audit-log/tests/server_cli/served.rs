//! Logs on a web server.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use super::{
    program::{Log, run_with},
    web::{Answers, Web, answer},
};

const OPENSSL: &str = "Install it with `apt-get install openssl`";

/// An authority, and a certificate for this host that it signed: `ca.pem`, `server.pem`, `server.key`.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .current_dir(folder)
            .args(arguments.split(' '))
            .output()
            .expect(OPENSSL);
        assert!(output.status.success(), "{arguments}: {output:?}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req {key} -x509 -keyout ca.key -out ca.pem -subj /CN=authority -days 2"
    ));
    openssl(&format!(
        "req {key} -keyout server.key -out server.csr -subj /CN=localhost"
    ));
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    fs::write(folder.join("names"), names).unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem \
         -extfile names -days 2",
    );
}

#[test]
fn a_url_is_verified_as_a_folder_is() {
    let log = Log::of(600);
    let web = Web::serve(log.path().parent().unwrap());
    for url in [
        format!("http://127.0.0.1:{}/log", web.port),
        format!("http://127.0.0.1:{}/log/", web.port),
    ] {
        let said = log.run_at("verify", &url, &[]);
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        assert_eq!(said.out, log.run("verify", &[]).out);
        for command in ["show", "proof"] {
            let said = log.run_at(command, &url, &["300"]);
            assert_eq!(said.code, 0);
            assert_eq!(said.out, log.run(command, &["300"]).out);
        }
    }
    let url = format!("http://127.0.0.1:{}/log", web.port);
    let kept = TempDir::new().unwrap();
    let file = kept.path().join("kept");
    let since = ["--since", file.to_str().unwrap()];
    fs::copy(Log::of(300).file("checkpoint"), &file).unwrap();
    assert_eq!(log.run_at("verify", &url, &since).code, 0);
    // Pruned, incomplete, changed, and not there.
    log.remove("tile/entries/000");
    let said = log.run_at("verify", &url, &since);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("344 read, 256 pruned"), "{said:?}");
    log.flip("tile/entries/002.p/88", 40);
    let said = log.run_at("verify", &url, &since);
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("tile/entries/002.p/88: entry 512"),
        "{said:?}"
    );
    log.flip("tile/entries/002.p/88", 40);
    log.remove("tile/1/000.p/2");
    assert_eq!(log.run_at("verify", &url, &since).code, 3);
    let said = log.run_at("verify", &format!("{url}/elsewhere"), &[]);
    assert_eq!(
        (said.code, said.err.as_str()),
        (2, "unusable: checkpoint: is missing\n")
    );
}

#[test]
fn tls_is_verified_with_the_authorities_of_the_system() {
    let log = Log::of(300);
    let folder = TempDir::new().unwrap();
    certificates(folder.path());
    let web = Web::serve_encrypted(&log.path(), folder.path());
    let (url, vkey) = (format!("https://localhost:{}", web.port), log.vkey());
    let authority = folder.path().join("ca.pem");
    let authority = ("SSL_CERT_FILE", authority.to_str().unwrap());
    let arguments = ["verify", &url, "--vkey", &vkey];
    let said = run_with(&arguments, &[authority]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let said = run_with(&arguments, &[]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.err
            .starts_with("unusable: checkpoint cannot be read: "),
        "{said:?}"
    );
}

#[test]
fn no_redirect_leads_to_another_host() {
    let log = Log::of(3);
    let elsewhere = Answers::give(vec![answer("200 OK", "", "")]);
    let to = format!(
        "Location: http://127.0.0.1:{}/checkpoint\r\n",
        elsewhere.port
    );
    let server = Answers::give(vec![answer("302 Found", &to, "")]);
    let said = log.run_at("verify", &format!("http://127.0.0.1:{}", server.port), &[]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("a redirect to another host is not followed"),
        "{said:?}"
    );
    assert_eq!((server.asked(), elsewhere.asked()), (1, 0));
}

#[test]
fn redirects_within_a_host_are_followed_and_end() {
    let log = Log::of(3);
    let text = fs::read_to_string(log.file("checkpoint")).unwrap();
    let to = "Location: /moved\r\n";
    let once = vec![
        answer("302 Found", to, ""),
        answer("200 OK", "", &text),
        answer("404 Not Found", "", ""),
    ];
    let server = Answers::give(once);
    let said = log.run_at("verify", &format!("http://127.0.0.1:{}", server.port), &[]);
    assert_eq!(said.code, 3, "{said:?}");
    let server = Answers::give(vec![answer("302 Found", to, "")]);
    let said = log.run_at("verify", &format!("http://127.0.0.1:{}", server.port), &[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("more than five redirects"), "{said:?}");
    assert_eq!(server.asked(), 6);
}

#[test]
fn what_may_pass_is_tried_three_times() {
    let log = Log::of(3);
    let text = fs::read_to_string(log.file("checkpoint")).unwrap();
    let busy = || answer("503 Service Unavailable", "", "");
    let server = Answers::give(vec![
        busy(),
        busy(),
        answer("200 OK", "", &text),
        answer("404 Not Found", "", ""),
    ]);
    let said = log.run_at("verify", &format!("http://127.0.0.1:{}", server.port), &[]);
    assert_eq!(said.code, 3, "{said:?}");
    for (status, times) in [("503 Service Unavailable", 3), ("403 Forbidden", 1)] {
        let server = Answers::give(vec![answer(status, "", "")]);
        let said = log.run_at("verify", &format!("http://127.0.0.1:{}", server.port), &[]);
        let expected =
            format!("unusable: checkpoint cannot be read: the server answered {status}\n");
        assert_eq!((said.code, said.err), (2, expected));
        assert_eq!(server.asked(), times, "{status}");
    }
}

#[test]
fn no_more_is_read_of_an_answer_than_a_file_may_have() {
    let log = Log::of(3);
    let endless = "A".repeat(4_000_000);
    let server = Answers::give(vec![answer("200 OK", "", &endless)]);
    let said = log.run_at("verify", &format!("http://127.0.0.1:{}", server.port), &[]);
    let expected = "unusable: checkpoint has more than 524288 bytes\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
}

#[test]
fn a_url_has_nothing_but_a_host_and_a_path() {
    let log = Log::of(3);
    for (url, expected) in [
        (
            "http://user@127.0.0.1/",
            "has no user, no query and no fragment",
        ),
        (
            "http://127.0.0.1/?log=1",
            "has no user, no query and no fragment",
        ),
        (
            "https://127.0.0.1/#log",
            "has no user, no query and no fragment",
        ),
        ("HTTPS://", "must be one of http or https"),
    ] {
        let said = log.run_at("verify", url, &[]);
        assert_eq!(said.code, 2, "{url}: {said:?}");
        assert!(said.err.contains(expected), "{url}: {said:?}");
    }
}
