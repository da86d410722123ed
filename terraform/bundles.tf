# Source bundles: one zip per function, named after a hash of what is in it.
# A change in one function renames its bundle alone; a change in common/ renames all of them.

locals {
  source_root = abspath("${path.root}/..")

  # bundles/<function>/ shows what its zip holds, as links: main.py, common/, ps_templates/ and the locked requirements.
  # Terraform's own functions do not follow links to folders, so the hash reads the same files where they lie.
  shared_files = merge(
    { for file in fileset(local.source_root, "{common,ps_templates}/**") : file => "${local.source_root}/${file}" if !can(regex(local.unbundled, file)) },
    { "requirements.txt" = "${local.source_root}/requirements/functions.txt" },
  )

  # Caches and hidden files differ from machine to machine: they are neither hashed nor bundled.
  unbundled          = "(^|/)(\\.|__pycache__/)"
  unbundled_patterns = ["**/.?*", "**/__pycache__"]

  # Of names and contents, not of the zip: scripts/bundle.py computes the same hashes without Terraform.
  bundle_hashes = {
    for name in keys(local.functions) : name => sha256(join("", [
      for path, file in merge(local.shared_files, { "main.py" = "${local.source_root}/functions/${name}/main.py" }) :
      "${filesha256(file)}  ${path}\n"
    ]))
  }
}

data "archive_file" "bundle" {
  for_each = local.bundle_hashes

  type             = "zip"
  source_dir       = "${path.root}/bundles/${each.key}"
  excludes         = local.unbundled_patterns
  output_path      = "${path.root}/.build/${each.key}-${each.value}.zip"
  output_file_mode = "0644"
}

resource "google_storage_bucket_object" "bundle" {
  for_each = local.bundle_hashes

  bucket = google_storage_bucket.sources.name
  name   = "functions/${each.key}/${each.value}.zip"
  source = data.archive_file.bundle[each.key].output_path

  lifecycle {
    # The function is moved to the new bundle before the old one goes.
    create_before_destroy = true
  }
}
