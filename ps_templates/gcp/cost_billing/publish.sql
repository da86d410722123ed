-- Put rows that have passed their checks in the place of what the target table has of those days of the export.
-- Parameters: date DATE
MERGE ${target_table} AS target
USING `_cvg_candidate` AS source
ON FALSE
WHEN NOT MATCHED BY SOURCE
  AND target.export_date >= DATE_SUB(${date}, INTERVAL ${lookback_days} DAY)
  AND target.export_date <= ${date}
  THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (
  usage_date, export_date, export_time, billing_account_id, invoice_month, cost_type, service_id, service_description, sku_id,
  sku_description, project_id, project_name, project_number, location, region, zone, resource_name, resource_global_name,
  usage_start_time, usage_end_time, usage_amount, usage_unit, usage_amount_in_pricing_units, usage_pricing_unit, cost, cost_at_list,
  credits_amount, net_cost, currency, currency_conversion_rate, labels, project_labels, system_labels, credits,
  ProviderName, BillingAccountId, BillingCurrency, BillingPeriodStart, BillingPeriodEnd, ChargePeriodStart, ChargePeriodEnd,
  ChargeCategory, ChargeDescription, ServiceName, SkuId, SubAccountId, SubAccountName, RegionId, ResourceId, ResourceName,
  ConsumedQuantity, ConsumedUnit, PricingQuantity, PricingUnit, ListCost, ContractedCost, EffectiveCost, BilledCost, Tags
) VALUES (
  usage_date, export_date, export_time, billing_account_id, invoice_month, cost_type, service_id, service_description, sku_id,
  sku_description, project_id, project_name, project_number, location, region, zone, resource_name, resource_global_name,
  usage_start_time, usage_end_time, usage_amount, usage_unit, usage_amount_in_pricing_units, usage_pricing_unit, cost, cost_at_list,
  credits_amount, net_cost, currency, currency_conversion_rate, labels, project_labels, system_labels, credits,
  ProviderName, BillingAccountId, BillingCurrency, BillingPeriodStart, BillingPeriodEnd, ChargePeriodStart, ChargePeriodEnd,
  ChargeCategory, ChargeDescription, ServiceName, SkuId, SubAccountId, SubAccountName, RegionId, ResourceId, ResourceName,
  ConsumedQuantity, ConsumedUnit, PricingQuantity, PricingUnit, ListCost, ContractedCost, EffectiveCost, BilledCost, Tags
)
