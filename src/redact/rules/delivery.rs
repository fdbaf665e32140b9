//! Infrastructure as code, secret stores, deployment and monitoring.

use super::super::rule::{Rule, assigned, near, token};
use super::super::shape::{Set, UUID, of};

pub(super) const RULES: &[Rule] = &[
    token(
        "1password-secret-key",
        &["a3-"],
        r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
    )
    .entropy(3.5),
    token("1password-service-account-token", &["ops_eyj"], r"ops_eyJ[0-9A-Za-z+/]{250,}={0,3}").entropy(4.0),
    // https://developer.hashicorp.com/vault/docs/concepts/tokens
    token("vault-batch-token", &["hvb."], r"hvb\.[0-9A-Za-z_-]{100,}").entropy(3.0),
    token("vault-service-token", &["hvs."], r"hvs\.[0-9A-Za-z_-]{24,}").entropy(3.5),
    token("vault-service-token", &["s."], r"s\.[0-9A-Za-z]{24}").digits().entropy(3.8),
    near("hashicorp-tf-api-token", &[".atlasv1."], 14, 120, r"([0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70})")
        .entropy(3.5),
    token("pulumi-api-token", &["pul-"], r"pul-[0-9a-f]{40}").entropy(2.0),
    token(
        "doppler-api-token",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[0-9A-Za-z]{40,44}",
    )
    .entropy(2.0),
    near("infracost-api-token", &["ico-"], 1, 64, r"(?:^|[^0-9A-Za-z.])(ico-[0-9A-Za-z]{32})(?:[^0-9A-Za-z.]|$)")
        .entropy(3.0),
    token("harness-api-key", &["pat.", "sat."], r"(?:pat|sat)\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}"),
    token("octopus-deploy-api-key", &["api-"], r"API-[A-Z0-9]{26}").entropy(3.0),
    token("prefect-api-token", &["pnu_"], r"pnu_[0-9A-Za-z]{36}").entropy(2.0),
    token(
        "dynatrace-api-token",
        &["dt0c01.", "dt0s01.", "dt0s16."],
        r"dt0[a-z][0-9]{2}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{64}",
    )
    .entropy(4.0),
    assigned("datadog-access-token", &["datadog"], of(Set::Alnum, 40, 40)),
    assigned("datadog-access-token", &["dd_api_key", "dd-api-key"], of(Set::Hex, 32, 32)),
    // https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/
    token("new-relic-browser-api-token", &["nrjs-"], r"NRJS-[0-9a-f]{19}"),
    token("new-relic-insert-key", &["nrii-"], r"NRII-[0-9A-Za-z-]{32}"),
    token("new-relic-user-api-key", &["nrak-"], r"NRAK-[0-9A-Za-z]{27}"),
    assigned("new-relic-user-api-id", &["new-relic", "newrelic", "new_relic"], of(Set::Alnum, 64, 64)),
    token("grafana-api-key", &["eyjrijoi"], r"(?i:eyJrIjoi)[0-9A-Za-z]{70,400}={0,3}").entropy(3.0),
    token("grafana-cloud-api-token", &["glc_"], r"glc_[0-9A-Za-z+/]{32,400}={0,3}").entropy(3.0),
    token("grafana-service-account-token", &["glsa_"], r"glsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8}").entropy(3.0),
    assigned("sentry-access-token", &["sentry"], of(Set::Hex, 64, 64)).entropy(3.0),
    token("sentry-org-token", &["sntrys_eyj"], r"sntrys_eyJ[0-9A-Za-z+/]{20,}={0,2}_[0-9A-Za-z+/]{43}").entropy(4.0),
    token("sentry-user-token", &["sntryu_"], r"sntryu_[0-9a-f]{64}").entropy(3.5),
    assigned("sumologic-access-id", &["sumo"], super::super::shape::starting("su", Set::Alnum, 14, 14)).entropy(3.0),
    assigned("sumologic-access-token", &["sumo"], of(Set::Alnum, 64, 64)).entropy(3.0),
    assigned("launchdarkly-access-token", &["launchdarkly"], of(Set::WordEq, 40, 40)),
    token(
        "launchdarkly-access-token",
        &["api-", "sdk-", "mob-"],
        r"(?:api|sdk)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    ),
    assigned("rancher-token", &["rancher"], of(Set::Alnum, 54, 54)),
    near(
        "sidekiq-secret",
        &["contribsys__com"],
        0,
        80,
        r#"(?i)^contribsys__com[0-9A-Za-z_]{0,20}[^0-9A-Za-z]{1,16}(?:string = ["`])?([0-9a-f]{8}:[0-9a-f]{8})\b"#,
    ),
    token("posthog-personal-key", &["phx_"], r"phx_[0-9A-Za-z]{40,}").entropy(3.0),
    assigned("pagerduty-token", &["pagerduty", "pager_duty"], of(Set::Word, 20, 20)).entropy(3.0),
    assigned("opsgenie-api-key", &["opsgenie"], UUID),
];
