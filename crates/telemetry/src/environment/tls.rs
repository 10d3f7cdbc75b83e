//! Certificates and keys for the connection to the collector.

use std::fs;

use super::{EnvironmentError, reader::Reader};

/// PEM files that variables name, each with its variable.
#[derive(Default)]
pub(crate) struct TlsFiles {
    /// Authorities that the collector's certificate is checked against, instead of the system's.
    #[cfg_attr(
        not(feature = "otlp-tls"),
        expect(dead_code, reason = "read by the exporter")
    )]
    pub(crate) authorities: Option<PemFile>,
    /// The certificate that is shown to the collector.
    pub(crate) certificate: Option<PemFile>,
    /// The key of that certificate.
    pub(crate) key: Option<PemFile>,
}

/// A file that was read.
pub(crate) struct PemFile {
    pub(crate) variable: &'static str,
    #[cfg_attr(
        not(feature = "otlp-tls"),
        expect(dead_code, reason = "read by the exporter")
    )]
    pub(crate) pem: Vec<u8>,
}

/// The variables of this file, those that outweigh others first.
pub(super) const VARIABLES: [&str; 6] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
];

const NOT_SUPPORTED: &str = "unset, or the program built with the feature `otlp-tls` of portcullis-telemetry: \
                             spans leave over plain HTTP, to a collector that speaks TLS to the outside";
const NOT_A_FILE: &str = "the path of a PEM file that can be read";
const NO_KEY: &str = "set with its key, OTEL_EXPORTER_OTLP_CLIENT_KEY";
const NO_CERTIFICATE: &str = "set with its certificate, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
const BEGIN: &[u8] = b"-----BEGIN ";
/// A bundle of all authorities that are trusted anywhere has a quarter of this.
const MAX_BYTES: u64 = 1 << 20;

impl Reader<'_> {
    pub(super) fn tls_files(&mut self) -> TlsFiles {
        if !cfg!(feature = "otlp-tls") {
            self.refuse_tls_files();
            return TlsFiles::default();
        }
        let [
            authorities,
            wide,
            certificate,
            wide_certificate,
            key,
            wide_key,
        ] = VARIABLES;
        let files = TlsFiles {
            authorities: self.pem_file(&[authorities, wide]),
            certificate: self.pem_file(&[certificate, wide_certificate]),
            key: self.pem_file(&[key, wide_key]),
        };
        match (&files.certificate, &files.key) {
            (Some(PemFile { variable, .. }), None) => self.refuse_tls(variable, NO_KEY),
            (None, Some(PemFile { variable, .. })) => self.refuse_tls(variable, NO_CERTIFICATE),
            _ => {}
        }
        files
    }

    fn refuse_tls_files(&mut self) {
        for variable in VARIABLES {
            if self.environment.is_set(variable) {
                self.refuse_tls(variable, NOT_SUPPORTED);
            }
        }
    }

    fn refuse_tls(&mut self, variable: &'static str, expected: &'static str) {
        self.refuse(EnvironmentError { variable, expected });
    }

    fn pem_file(&mut self, variables: &[&'static str]) -> Option<PemFile> {
        let variable = variables
            .iter()
            .copied()
            .find(|&variable| self.environment.is_set(variable))?;
        let pem = self.parsed(&[variable], NOT_A_FILE, |path| {
            let is_small = fs::metadata(path).is_ok_and(|file| file.len() <= MAX_BYTES);
            let pem = is_small.then(|| fs::read(path).ok()).flatten()?;
            let is_pem = pem.windows(BEGIN.len()).any(|window| window == BEGIN);
            is_pem.then_some(pem)
        })?;
        Some(PemFile { variable, pem })
    }
}

#[cfg(all(test, feature = "otlp-tls"))]
mod tests {
    use super::*;
    use crate::environment::{Environment, Settings};

    fn problem(variables: &[(&'static str, &str)]) -> Option<&'static str> {
        let environment = Environment::from_pairs(variables.iter().copied());
        Settings::read(&environment)
            .err()
            .map(|error| error.variable)
    }

    #[test]
    fn files_are_read_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let pem = path("a.pem", b"x\n-----BEGIN CERTIFICATE-----\n");
        let binary = path("a.der", b"\x30\x82");
        let large = path("large.pem", &vec![b'x'; 1 << 21]);
        let missing = folder.path().join("missing").to_str().unwrap().to_owned();
        let directory = folder.path().to_str().unwrap().to_owned();
        for wrong in [&binary, &large, &missing, &directory] {
            for variable in VARIABLES {
                assert_eq!(problem(&[(variable, wrong)]), Some(variable), "{wrong}");
            }
        }
        let [_, authorities, _, certificate, _, key] = VARIABLES;
        assert_eq!(problem(&[(authorities, &pem)]), None);
        assert_eq!(problem(&[(certificate, &pem), (key, &pem)]), None);
        assert_eq!(problem(&[(certificate, &pem)]), Some(certificate));
        assert_eq!(problem(&[(key, &pem)]), Some(key));
    }
}
