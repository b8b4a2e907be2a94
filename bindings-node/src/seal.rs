//! Sealed opaque strings.

use mcpgraft::seal::state::{self, Binding};
use mcpgraft::seal::{self, NONCE_BYTES};
use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::argument::Arg;
use crate::error::{Guarded, Trouble, guard, json, text};

/// A ring of keys: the first secret seals, all of them open.
#[napi]
pub struct Keys(Guarded<Ring>);

/// Secrets in the making, until [`Keys::ready`].
enum Ring {
    Secrets(Vec<Vec<u8>>),
    Keys(seal::Keys),
}

impl Ring {
    fn keys(&self) -> Result<&seal::Keys, Trouble> {
        match self {
            Ring::Keys(keys) => Ok(keys),
            Ring::Secrets(_) => Err(Trouble::argument("secrets: none was given")),
        }
    }
}

fn bad(_: seal::BadSeal) -> Trouble {
    Trouble::bad_seal()
}

fn nonce(nonce: Arg) -> Result<[u8; NONCE_BYTES], Trouble> {
    let bytes = nonce.bytes("nonce")?;
    (*bytes).try_into().map_err(|_| Trouble::argument(format!("nonce must be {NONCE_BYTES} random bytes")))
}

/// What a sealed state says.
#[napi(object)]
pub struct Opened {
    pub round: u32,
    pub kept: Buffer,
    pub nonce: Buffer,
}

#[napi]
impl Keys {
    #[napi(constructor)]
    pub fn new(env: Env) -> napi::Result<Self> {
        guard(env, || Ok(Keys(Guarded::new(Ring::Secrets(Vec::new())))))
    }

    /// One more secret.
    #[napi]
    pub fn add(&self, env: Env, secret: Arg) -> napi::Result<()> {
        self.0.run(env, |ring| {
            let secret = secret.bytes("secrets")?.into_owned();
            match ring {
                Ring::Secrets(secrets) => secrets.push(secret),
                Ring::Keys(_) => return Err(Trouble::argument("secrets: the ring is made")),
            }
            Ok(())
        })
    }

    /// All secrets were given.
    #[napi]
    pub fn ready(&self, env: Env) -> napi::Result<()> {
        self.0.run(env, |ring| {
            if let Ring::Secrets(secrets) = ring {
                let keys = seal::Keys::new(secrets.iter().map(Vec::as_slice));
                *ring = Ring::Keys(keys.map_err(|error| Trouble::argument(format!("secrets: {error}")))?);
            }
            Ok(())
        })
    }

    #[napi]
    pub fn seal(&self, env: Env, purpose: Arg, plain: Arg, nonce: Arg) -> napi::Result<String> {
        self.0.run(env, |ring| {
            let (purpose, plain) = (purpose.text("purpose")?, plain.bytes("plain")?);
            ring.keys()?.seal(&purpose, &plain, self::nonce(nonce)?).map_err(bad)
        })
    }

    #[napi]
    pub fn open(&self, env: Env, purpose: Arg, sealed: Arg) -> napi::Result<Buffer> {
        self.0.run(env, |ring| {
            let (purpose, sealed) = (purpose.text("purpose")?, sealed.text("sealed")?);
            ring.keys()?.open(&purpose, &sealed).map(Buffer::from).map_err(bad)
        })
    }

    #[napi]
    #[allow(clippy::too_many_arguments)] // an options object, in JavaScript
    pub fn seal_state(
        &self,
        env: Env,
        method: Arg,
        target: Arg,
        arguments: Arg,
        principal: Arg,
        round: Arg,
        kept: Arg,
        now: Arg,
        ttl: Arg,
        nonce: Arg,
    ) -> napi::Result<String> {
        self.0.run(env, |ring| {
            let (method, target) = (method.text("method")?, target.text("target")?);
            let (arguments, principal) = (arguments.bytes("arguments")?, principal.maybe_text("principal")?);
            let arguments = json("arguments", &arguments)?;
            let principal = principal.as_deref();
            let binding = Binding { method: &method, target: &target, arguments, principal };
            let round = round.whole("round", u64::from(u16::MAX))?;
            let (kept, now, ttl) =
                (kept.bytes("kept")?, now.whole("now", u64::MAX)?, ttl.whole("ttl", u64::MAX)?);
            let round = u16::try_from(round).unwrap_or(u16::MAX);
            let keys = ring.keys()?;
            state::seal(keys, &binding, round, text("kept", &kept)?, now, ttl, self::nonce(nonce)?)
                .map_err(bad)
        })
    }

    #[napi]
    #[allow(clippy::too_many_arguments)] // one for each fact
    pub fn open_state(
        &self,
        env: Env,
        method: Arg,
        target: Arg,
        arguments: Arg,
        principal: Arg,
        sealed: Arg,
        now: Arg,
    ) -> napi::Result<Opened> {
        self.0.run(env, |ring| {
            let (method, target) = (method.text("method")?, target.text("target")?);
            let (arguments, principal) = (arguments.bytes("arguments")?, principal.maybe_text("principal")?);
            let arguments = json("arguments", &arguments)?;
            let principal = principal.as_deref();
            let binding = Binding { method: &method, target: &target, arguments, principal };
            let (sealed, now) = (sealed.text("sealed")?, now.whole("now", u64::MAX)?);
            let opened = state::open(ring.keys()?, &binding, &sealed, now).map_err(bad)?;
            Ok(Opened {
                round: u32::from(opened.round),
                kept: Buffer::from(opened.kept.into_bytes()),
                nonce: Buffer::from(opened.nonce.to_vec()),
            })
        })
    }
}
