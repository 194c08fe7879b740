-- footprint --
SELECT hour, program, seconds, cpu_s, memory_bytes, database_bytes
  FROM board.footprint
 WHERE hour >= $1
 ORDER BY hour, program;

-- stored --
SELECT hour, readings_stored FROM board.ledger_hours WHERE hour >= $1 ORDER BY hour;

-- platform --
SELECT sampled_hour, database_bytes FROM board.platform;
