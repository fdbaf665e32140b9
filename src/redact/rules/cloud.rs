//! Cloud and hosting providers.

use super::super::rule::{Rule, assigned, near, token};
use super::super::shape::{Set, UUID, of, starting};

pub(super) const RULES: &[Rule] = &[
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    token(
        "aws-access-token",
        &["akia", "asia", "abia", "acca", "a3t"],
        r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}",
    )
    .entropy(3.0),
    assigned(
        "aws-secret-access-key",
        &["secret_access_key", "secretaccesskey", "secret-access-key", "aws_secret"],
        of(Set::Base64, 40, 40),
    )
    .entropy(3.5),
    assigned("aws-session-token", &["session_token", "sessiontoken"], of(Set::Base64, 100, usize::MAX)).entropy(4.0),
    token(
        "aws-amazon-bedrock-api-key-long-lived",
        &["abskqmvkcm9ja0fqsutleS"],
        r"ABSKQmVkcm9ja0FQSUtleS[A-Za-z0-9+/]{87,}={0,2}",
    )
    .entropy(3.0),
    token(
        "aws-amazon-bedrock-api-key-short-lived",
        &["bedrock-api-key-"],
        r"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]*",
    )
    .entropy(3.0),
    // https://cloud.google.com/docs/authentication/api-keys
    token("gcp-api-key", &["aiza"], r"AIza[0-9A-Za-z_-]{35}").entropy(4.0),
    token("gcp-oauth-client-secret", &["gocspx-"], r"GOCSPX-[0-9A-Za-z_-]{28}").entropy(3.0),
    token("gcp-oauth-access-token", &["ya29."], r"ya29\.[0-9A-Za-z_-]{20,}").entropy(3.0),
    token("gcp-refresh-token", &["1//0"], r"1//0[0-9A-Za-z_-]{40,}").entropy(3.5),
    near(
        "azure-ad-client-secret",
        &["q~"],
        4,
        64,
        r"(?:^|[^0-9A-Za-z_~.-])([0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34})(?:[^0-9A-Za-z_~.-]|$)",
    )
    .entropy(3.0),
    near(
        "azure-storage-key",
        &["accountkey=", "sharedaccesskey=", "sharedaccesssignature="],
        0,
        200,
        r"^(?i:accountkey|sharedaccesskey|sharedaccesssignature)=([A-Za-z0-9+/=%&]{40,})",
    )
    .entropy(3.0),
    near("azure-devops-pat", &["azdo"], 52, 90, r"(?:^|[^0-9A-Za-z])([0-9A-Za-z]{76}AZDO[0-9A-Za-z]{4})"),
    token("alibaba-access-key-id", &["ltai"], r"LTAI[0-9A-Za-z]{12,24}").entropy(3.0),
    assigned("alibaba-secret-key", &["alibaba", "aliyun"], of(Set::Alnum, 30, 30)),
    token("digitalocean-access-token", &["doo_v1_"], r"doo_v1_[0-9a-f]{64}").entropy(3.0),
    token("digitalocean-pat", &["dop_v1_"], r"dop_v1_[0-9a-f]{64}").entropy(3.0),
    token("digitalocean-refresh-token", &["dor_v1_"], r"dor_v1_[0-9a-f]{64}").entropy(3.0),
    token("heroku-api-key-v2", &["hrku-aa"], r"HRKU-AA[0-9A-Za-z_-]{58}").entropy(3.5),
    assigned("heroku-api-key", &["heroku"], UUID),
    token("yandex-access-token", &["t1."], r"t1\.[A-Z0-9a-z_=-]{1,}\.[A-Z0-9a-z_=-]{86}").entropy(3.0),
    token("yandex-api-key", &["aqvn"], r"AQVN[0-9A-Za-z_-]{35,38}").entropy(3.0),
    assigned("yandex-aws-access-token", &["yandex"], starting("YC", Set::Word, 40, 40)),
    // https://developers.cloudflare.com/fundamentals/api/
    token("cloudflare-origin-ca-key", &["v1.0-"], r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}").entropy(2.0),
    assigned("cloudflare-global-api-key", &["cloudflare"], of(Set::Hex, 37, 37)),
    assigned("cloudflare-api-key", &["cloudflare"], of(Set::Word, 40, 40)),
    assigned("fastly-api-token", &["fastly"], of(Set::WordEq, 32, 32)),
    // https://fly.io/docs/security/tokens/
    token("flyio-access-token", &["fo1_"], r"fo1_[0-9A-Za-z_-]{43}").entropy(4.0),
    token("flyio-access-token", &["fm1a_", "fm1r_", "fm2_"], r"fm(?:1[ar]|2)_[0-9A-Za-z+/]{80,}={0,3}").entropy(4.0),
    assigned("netlify-access-token", &["netlify"], of(Set::WordEq, 40, 46)),
    token("scalingo-api-token", &["tk-us-"], r"tk-us-[0-9A-Za-z_-]{48}").entropy(2.0),
    token("openshift-user-token", &["sha256~"], r"sha256~[0-9A-Za-z_-]{43}").entropy(3.5),
    token("openshift-user-token", &["sha256~"], r"sha256~[0-9A-Za-z_=+/.@-]{16,}").entropy(3.8),
    token("vercel-token", &["vcp_", "vck_", "vca_"], r"vc[pka]_[0-9A-Za-z]{24,}").entropy(3.0),
    token("supabase-token", &["sbp_", "sb_secret_"], r"(?:sbp_[0-9a-f]{40}|sb_secret_[0-9A-Za-z_-]{22,})").entropy(3.0),
    token("render-api-key", &["rnd_"], r"rnd_[0-9A-Za-z]{32}").entropy(3.0),
    token("tailscale-key", &["tskey-"], r"tskey-[a-z]+-[0-9A-Za-z]{8,}-[0-9A-Za-z]{20,}").entropy(3.0),
    assigned("cisco-meraki-api-key", &["meraki"], of(Set::Hex, 40, 40)).entropy(3.0),
    token("settlemint-application-access-token", &["sm_aat_"], r"sm_aat_[0-9A-Za-z]{16}").entropy(3.0),
    token("settlemint-personal-access-token", &["sm_pat_"], r"sm_pat_[0-9A-Za-z]{16}").entropy(3.0),
    token("settlemint-service-access-token", &["sm_sat_"], r"sm_sat_[0-9A-Za-z]{16}").entropy(3.0),
    token("defined-networking-api-token", &["dnkey-"], r"dnkey-[0-9a-z=_-]{26}-[0-9a-z=_-]{52}").entropy(3.0),
    token(
        "authress-service-client-access-key",
        &["sc_", "ext_", "scauth_", "authress_"],
        r"(?:sc|ext|scauth|authress)_[0-9a-z]{5,30}\.[0-9a-z]{4,6}\.acc[_-][0-9a-z-]{10,32}\.[0-9a-z+/_=-]{30,120}",
    )
    .entropy(3.0),
];
