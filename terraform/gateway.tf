# Gateway, where var.domain is given: one HTTPS host in front of the public functions, with a certificate that Google
# renews and rate limits per address. Without a domain the functions' own URLs serve.

locals {
  gateway_enabled = var.domain != null
  gateway         = local.gateway_enabled ? { main = var.domain } : {}
  backends        = local.gateway_enabled ? local.public_functions : toset([])

  # function => the paths that it serves; the local platform's gateway and the links in answers go by the same file
  function_paths = jsondecode(file("${local.source_root}/common/function_paths.json"))
  gateway_paths = {
    for function, prefixes in local.function_paths.prefixes : function => concat(
      flatten([for prefix in prefixes : [prefix, "${prefix}/*"]]),
      function == local.function_paths.root ? ["/"] : [],
      function == local.function_paths.any_other ? local.function_paths.of_every_function : [],
    )
    if contains(keys(local.functions), function)
  }
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = local.backends

  name                  = local.service_names[each.key]
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.function[each.key].name
  }

  depends_on = [google_project_service.service]
}

resource "google_compute_backend_service" "function" {
  for_each = local.backends

  name                  = local.service_names[each.key]
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.gateway["main"].id

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = 1.0
  }
}

resource "google_compute_security_policy" "gateway" {
  for_each = local.gateway

  name        = "convergence"
  description = "Rate limits per address; quotas per tenant are the platform's own."

  rule {
    action      = "deny(403)"
    priority    = 100
    description = "Log4j's lookups (CVE-2021-44228), in any field"
    match {
      expr {
        expression = "evaluatePreconfiguredWaf('cve-canary')"
      }
    }
  }

  rule {
    action      = "throttle"
    priority    = 1000
    description = "Self-service onboarding: it takes no key, and each one makes a dataset"
    match {
      expr {
        # Decoded: what is matched must be what the function sees. The functions refuse such spellings as well.
        expression = "request.path.urlDecode().matches('^/+api/+v1/+tenants/+(onboard|dryrun)')"
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.rate_limits.onboarding_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    action      = "throttle"
    priority    = 2147483647
    description = "Everything else"
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.rate_limits.requests_per_minute
        interval_sec = 60
      }
    }
  }

  depends_on = [google_project_service.service]
}

resource "google_compute_url_map" "https" {
  for_each = local.gateway

  name            = "convergence"
  default_service = google_compute_backend_service.function["pipelines"].id

  host_rule {
    hosts        = [each.value]
    path_matcher = "contract"
  }

  path_matcher {
    name            = "contract"
    default_service = google_compute_backend_service.function["pipelines"].id

    dynamic "path_rule" {
      for_each = local.gateway_paths
      content {
        paths   = path_rule.value
        service = google_compute_backend_service.function[path_rule.key].id
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "gateway" {
  for_each = local.gateway

  # A certificate cannot change its domain, and a new one must exist before the old one can go: the name follows the domain.
  name = "convergence-${substr(sha256(each.value), 0, 8)}"

  managed {
    domains = [each.value]
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.service]
}

resource "google_compute_ssl_policy" "gateway" {
  for_each = local.gateway

  name            = "convergence"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.service]
}

resource "google_compute_target_https_proxy" "gateway" {
  for_each = local.gateway

  name             = "convergence"
  url_map          = google_compute_url_map.https[each.key].id
  ssl_certificates = [google_compute_managed_ssl_certificate.gateway[each.key].id]
  ssl_policy       = google_compute_ssl_policy.gateway[each.key].id
}

resource "google_compute_global_address" "gateway" {
  for_each = local.gateway

  name = "convergence"

  depends_on = [google_project_service.service]
}

resource "google_compute_global_forwarding_rule" "https" {
  for_each = local.gateway

  name                  = "convergence"
  target                = google_compute_target_https_proxy.gateway[each.key].id
  ip_address            = google_compute_global_address.gateway[each.key].address
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

# Plain HTTP answers with a redirect alone.
resource "google_compute_url_map" "redirect" {
  for_each = local.gateway

  name = "convergence-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }

  depends_on = [google_project_service.service]
}

resource "google_compute_target_http_proxy" "redirect" {
  for_each = local.gateway

  name    = "convergence-redirect"
  url_map = google_compute_url_map.redirect[each.key].id
}

resource "google_compute_global_forwarding_rule" "redirect" {
  for_each = local.gateway

  name                  = "convergence-redirect"
  target                = google_compute_target_http_proxy.redirect[each.key].id
  ip_address            = google_compute_global_address.gateway[each.key].address
  port_range            = "80"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
