resource "kafka_topic" "audit" {
  name               = "audit"
  partitions         = 6
  replication_factor = 3
  config = {
    "cleanup.policy" = "compact"
    "retention.ms"   = var.audit_retention_ms
  }
}
