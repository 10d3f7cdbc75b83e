//! A private moto on a free port, ended when it is dropped, and a bucket in it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use portcullis_audit_log::archive::{
    Archive,
    object_store::{ClientOptions, ObjectStore, aws::AmazonS3Builder},
};
use tempfile::NamedTempFile;

const BUCKET: &str = "audit-archive";
const INSTALL: &str =
    "scripts/components install, or: python3 -m pip install 'moto[kms,s3,server]==5.2.1'";

/// A server until it is dropped.
#[derive(Debug)]
pub(crate) struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    pub(crate) fn start() -> Self {
        // It takes a free port itself and writes down which: one that was looked for may be taken since.
        let said = NamedTempFile::new().unwrap();
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(said.reopen().unwrap());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}: {INSTALL}"));
        let mut moto = Self { child, port: 0 };
        for _ in 0..6_000 {
            let text = fs::read_to_string(said.path()).unwrap();
            let port = text.split_once("Running on http://127.0.0.1:");
            // Until the end of the line is there, the number may go on.
            let port = port.and_then(|(_, port)| port.split_once('\n'));
            moto.port = port.map_or(0, |(port, _)| port.parse().unwrap());
            if moto.port != 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_ne!(moto.port, 0, "moto says nothing: {INSTALL}");
        moto.make_bucket();
        moto
    }

    fn make_bucket(&self) {
        let request = format!(
            "PUT /{BUCKET} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\n\r\n",
            self.port
        );
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }

    /// The bucket, as a service has it.
    pub(crate) fn bucket(&self) -> Arc<dyn ObjectStore> {
        // A client looks for a provider of TLS, whether or not it needs one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let bucket = AmazonS3Builder::new()
            .with_bucket_name(BUCKET)
            .with_region("us-east-1")
            .with_endpoint(format!("http://127.0.0.1:{}", self.port))
            .with_access_key_id("test")
            .with_secret_access_key("test")
            .with_client_options(ClientOptions::new().with_allow_http(true));
        Arc::new(bucket.build().unwrap())
    }

    /// What a program finds the bucket with.
    #[cfg(feature = "cli")]
    pub(crate) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
    }

    pub(crate) fn archive(&self, prefix: &str) -> Archive {
        Archive::new(self.bucket(), prefix).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
