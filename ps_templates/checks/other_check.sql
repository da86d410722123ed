-- Join what a check has counted by itself.
-- Parameters: those that the texts of the check use
CROSS JOIN (
  SELECT checked AS checked_${number}, failed AS failed_${number}, observed AS observed_${number}
  FROM (
    ${statement}
  )
) AS convergence_check_${number}
