-- Put what the standard export has said on some days in the place of what the target table has of those days.
-- Parameters: date DATE
MERGE ${target_table} AS target
USING (
  SELECT
    DATE(line.usage_start_time) AS usage_date,
    DATE(line.export_time) AS export_date,
    line.export_time,
    line.billing_account_id,
    line.invoice.month AS invoice_month,
    line.cost_type,
    line.service.id AS service_id,
    line.service.description AS service_description,
    line.sku.id AS sku_id,
    line.sku.description AS sku_description,
    line.project.id AS project_id,
    line.project.name AS project_name,
    line.project.number AS project_number,
    line.location.location AS location,
    line.location.region AS region,
    line.location.zone AS zone,
    CAST(NULL AS STRING) AS resource_name,
    CAST(NULL AS STRING) AS resource_global_name,
    line.usage_start_time,
    line.usage_end_time,
    line.usage.amount AS usage_amount,
    line.usage.unit AS usage_unit,
    line.usage.amount_in_pricing_units AS usage_amount_in_pricing_units,
    line.usage.pricing_unit AS usage_pricing_unit,
    line.cost,
    line.cost_at_list,
    IFNULL((SELECT SUM(credit.amount) FROM UNNEST(line.credits) AS credit), 0) AS credits_amount,
    line.cost + IFNULL((SELECT SUM(credit.amount) FROM UNNEST(line.credits) AS credit), 0) AS net_cost,
    line.currency,
    line.currency_conversion_rate,
    ARRAY(SELECT AS STRUCT label.key AS key, label.value AS value FROM UNNEST(line.labels) AS label) AS labels,
    ARRAY(SELECT AS STRUCT label.key AS key, label.value AS value FROM UNNEST(line.project.labels) AS label) AS project_labels,
    ARRAY(SELECT AS STRUCT label.key AS key, label.value AS value FROM UNNEST(line.system_labels) AS label) AS system_labels,
    ARRAY(
      SELECT AS STRUCT credit.name AS name, credit.type AS type, credit.amount AS amount FROM UNNEST(line.credits) AS credit
    ) AS credits,
    PARSE_DATE('%Y%m', line.invoice.month) AS first_of_month,
    CASE line.cost_type
      WHEN 'regular' THEN 'Usage'
      WHEN 'tax' THEN 'Tax'
      ELSE 'Adjustment'
    END AS category
  FROM ${source_table} AS line
  -- Rows of a day of usage come on later days too, so what is replaced are days of the export.
  WHERE line.${export_column} >= TIMESTAMP(DATE_SUB(${date}, INTERVAL ${lookback_days} DAY))
    AND line.export_time >= TIMESTAMP(DATE_SUB(${date}, INTERVAL ${lookback_days} DAY))
    AND line.export_time < TIMESTAMP(DATE_ADD(${date}, INTERVAL 1 DAY))
) AS source
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
  'Google Cloud', billing_account_id, currency, TIMESTAMP(first_of_month), TIMESTAMP(DATE_ADD(first_of_month, INTERVAL 1 MONTH)),
  usage_start_time, usage_end_time, category, sku_description, service_description, sku_id, project_id, project_name, region,
  resource_global_name, resource_name, usage_amount, usage_unit, usage_amount_in_pricing_units, usage_pricing_unit, cost_at_list, cost,
  net_cost, net_cost, labels
)
