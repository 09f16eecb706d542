//! Certificates for the tests: an authority of their own, and a server's certificates, good and bad.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// What a server shows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A certificate that verifies.
    Good,
    /// Of another host.
    OtherHost,
    /// Of an authority that nobody trusts.
    Unknown,
    /// Of long ago.
    Expired,
}

/// An authority and what it has signed.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    stranger: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let make = || {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        Self {
            issuer: make(),
            stranger: make(),
        }
    }

    /// Its certificate, as `--ca-file` takes it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Accepts connections with such a certificate, and speaks `protocol` over them.
    pub fn acceptor(&self, shown: Shown, protocol: &str) -> TlsAcceptor {
        let host = if shown == Shown::OtherHost {
            "elsewhere.example"
        } else {
            "localhost"
        };
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        if shown == Shown::Expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let issuer = if shown == Shown::Unknown {
            &self.stranger
        } else {
            &self.issuer
        };
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
