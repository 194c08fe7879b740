-- Public holidays are said once, by [[mobility.calendar]]: stored facts of energy drop theirs.

UPDATE city.trade SET facts = facts - 'holidays' WHERE domain = 'energy';
