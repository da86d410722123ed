# Terraform: deploy, and check what would be deployed. Included by the Makefile.

CHECKOV := .venv-checkov
CHECKOV_INSTALLED := $(CHECKOV)/.installed
CHECKOV_REPORT := $(CHECKOV)/report.txt
TERRAFORM := terraform -chdir=terraform
ENV ?= dev

# Deploy it

.PHONY: bundle plan deploy smoke
bundle: $(DEVELOPMENT)  ## Make the functions' source bundles, and print the hashes that Terraform gives them
	@$(VENV)/bin/python scripts/bundle.py

plan:  ## Show what a deployment would change (ENV=dev: terraform/environments/dev.tfvars)
	@$(TERRAFORM) init -input=false
	@$(TERRAFORM) plan -input=false -var-file=environments/$(ENV).tfvars

deploy:  ## Deploy, after showing the plan and asking (ENV=dev)
	@$(TERRAFORM) init -input=false
	@$(TERRAFORM) apply -var-file=environments/$(ENV).tfvars
	@$(TERRAFORM) output -raw next_commands

smoke: $(DEVELOPMENT)  ## Run the guide's commands against a platform (URL= ADMIN_API_KEY=)
	@$(PYTHON_M) scripts.smoke

# Check it

.PHONY: terraform-check terraform-format terraform-security terraform-providers
check: terraform-check
terraform-check: terraform-format terraform-security terraform-providers  ## Check terraform/, with the real providers where they can be had

terraform-format:
	@echo "== Terraform: format"
	@if command -v terraform >/dev/null; then terraform fmt -check -diff -recursive terraform; \
	else echo "Not checked: terraform is not installed"; fi

# A file that it cannot parse is a file that it does not check: that is a failure too.
terraform-security: $(CHECKOV_INSTALLED)
	@echo "== Terraform: security"
	@$(CHECKOV)/bin/checkov --directory terraform --framework terraform --skip-download --compact --quiet \
	  >$(CHECKOV_REPORT) 2>&1 || { cat $(CHECKOV_REPORT); exit 1; }
	@! grep "Parsing errors: [1-9]" $(CHECKOV_REPORT)

terraform-providers: $(DEVELOPMENT)
	@echo "== Terraform: providers"
	@$(PYTHON_M) tests.terraform.providers

$(CHECKOV_INSTALLED): requirements/checkov.txt $(CHECKOV)/bin/python
	@echo "Installing checkov"
	@scripts/install $(CHECKOV) $<
	@touch $@
